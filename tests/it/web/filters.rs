//! The filters beside the list.

use super::{between, get_page, link, text};
use crate::{
    on_both,
    support::{Answer, Service, films},
};

/// Returns the number of films that the API finds.
async fn count(service: &Service, address: &str) -> String {
    let query = address.trim_start_matches("/?").trim_start_matches('/');
    let answer = service.get(&format!("/movie?{query}&limit=1&total=true")).await;
    assert_eq!(answer.status, 200, "{address}: {answer:?}");
    answer.header("x-total-count").to_owned()
}

/// Returns the choices of a filter: value, number of films, whether it is selected.
fn choices(page: &Answer, name: &str) -> Vec<(String, String, bool)> {
    let inputs = between(&page.text, &format!(" name=\"{name}\" value=\""), "</label>").into_iter();
    let choice = |input: &str| {
        let (value, rest) = input.split_once('"').unwrap();
        let films = rest.split_once("<small>").map_or("", |(_, rest)| rest.split_once('<').unwrap().0);
        (text(value), films.to_owned(), rest.starts_with(" checked"))
    };
    inputs.map(choice).collect()
}

/// Replaces a parameter in the query of the page.
fn with(query: &str, name: &str, value: &str) -> String {
    let others = query.split('&').filter(|pair| !pair.is_empty() && pair.split('=').next() != Some(name));
    others.chain([format!("{name}={value}").as_str()]).collect::<Vec<_>>().join("&")
}

on_both! {
    async fn each_choice_says_how_many_films_it_would_find(service: &Service) {
        films::fill(service, &films::films(700)).await;
        for query in [
            "", "movieFormat=DVD", "rating=4..", "rating=2..3&q=alien", "length=..89&releaseYear=1900..1999",
            "q=alien&movieFormat=VHS&movieFormat=DVD&rating=5&length=17..200&releaseYear=1950..", "q=nothing",
        ] {
            let page = get_page(service, &format!("/?{query}")).await;
            for (name, usual) in [("movieFormat", 3), ("rating", 5), ("length", 5)] {
                let choices = choices(&page, name);
                assert!([usual, usual + 1].contains(&choices.len()), "{query}: {choices:?}");
                for (value, films, chosen) in choices {
                    let given = query.split('&').filter(|pair| pair.split('=').next() == Some(name));
                    let given: Vec<&str> = given.filter_map(|pair| pair.split('=').nth(1)).collect();
                    let is_chosen = given.contains(&value.as_str()) || given.is_empty() && value.is_empty();
                    assert_eq!(chosen, is_chosen, "{query}: {name}={value}");
                    if !value.is_empty() {
                        assert_eq!(films, count(service, &with(query, name, &value)).await, "{query}: {name}={value}");
                    }
                }
            }
            let decades = between(&page.text, "<legend>Year</legend>", "</fieldset>")[0];
            for decade in between(decades, "<li><a href=\"", "</li>") {
                let (address, rest) = decade.split_once('"').unwrap();
                let films = rest.split_once("<small>").unwrap().1.split_once('<').unwrap().0;
                assert_eq!(films, count(service, &text(address)).await, "{query}: {decade}");
            }
        }
    }
}

on_both! {
    async fn what_is_chosen_can_be_taken_away_one_by_one(service: &Service) {
        films::fill(service, &films::films(30)).await;
        let page = get_page(
            service,
            "/?q=alien&movieFormat=VHS&movieFormat=DVD&rating=2..&releaseYear=1900..1999&length=10..400&view=table&sort=-rating",
        )
        .await;
        let chips = between(&page.text, "<ul class=\"chips\"", "</ul>")[0];
        let labels: Vec<String> = between(chips, "<bdi>", "</bdi>").into_iter().map(text).collect();
        assert_eq!(
            labels,
            ["“\u{2068}alien\u{2069}”", "DVD", "VHS", "2 stars and up", "1900 to 1999", "10 min to 6 h 40"]
        );
        let without = between(chips, "href=\"", "\"");
        assert_eq!(without.len(), 7);
        assert_eq!(
            text(without[1]),
            "/?q=alien&movieFormat=VHS&rating=2..&releaseYear=1900..1999&length=10..400&view=table&sort=-rating"
        );
        assert_eq!(
            text(without[3]),
            "/?q=alien&movieFormat=VHS&movieFormat=DVD&releaseYear=1900..1999&length=10..400&view=table&sort=-rating"
        );
        assert_eq!(link(&page, "Clear all"), "/?view=table&sort=-rating");
        assert_eq!((field(&page, "yearFrom"), field(&page, "yearTo")), ("1900".into(), "1999".into()));
        // The form keeps parameters that it does not show.
        let form = between(&page.text, "<form id=\"filters\"", "</form>")[0];
        assert!(form.contains("<input type=\"hidden\" name=\"view\" value=\"table\">"), "{form}");
        assert!(form.contains("<input type=\"hidden\" name=\"sort\" value=\"-rating\">"), "{form}");
    }
}

#[track_caller]
fn field(page: &Answer, name: &str) -> String {
    let input = between(&page.text, &format!("name=\"{name}\""), ">")[0];
    text(between(input, "value=\"", "\"")[0])
}

on_both! {
    async fn the_form_leads_to_an_address_without_what_was_left_empty(service: &Service) {
        let none = reqwest::redirect::Policy::none();
        let client = reqwest::Client::builder().redirect(none).build().unwrap();
        for (query, address) in [
            ("q=&movieFormat=DVD&rating=&length=&yearFrom=&yearTo=", "/?movieFormat=DVD"),
            ("view=table&q=the+matrix&rating=4..&yearFrom=1999&yearTo=1990", "/?view=table&q=the+matrix&rating=4..&releaseYear=1990..1999"),
            ("q=", "/"),
        ] {
            let request = client.get(format!("{}/?{query}", service.base)).bearer_auth(&service.viewer);
            let answer = Answer::of(request).await;
            assert_eq!((answer.status, answer.header("location")), (303, address), "{answer:?}");
            get_page(service, address).await;
        }
    }
}
