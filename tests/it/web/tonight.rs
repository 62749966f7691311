//! The page that picks a film for tonight.

use reqwest::Method;

use super::{HOSTILE, between, get_page, link, text};
use crate::{
    on_both,
    support::{Answer, films},
};

/// Returns the title of the film on the page, if any.
fn film(page: &Answer) -> Option<String> {
    let cover = between(&page.text, "<article class=\"cover", "</article>");
    cover.first().map(|cover| text(between(cover, "<bdi>", "</bdi>")[0]))
}

on_both! {
    async fn the_film_fits_and_another_one_is_another_one(service: &Service) {
        films::fill(service, &films::films(300)).await;
        for query in ["", "?length=..90&movieFormat=DVD", "?rating=4..&releaseYear=1900..1999&movieFormat=VHS&movieFormat=DVD"] {
            // A film of unknown length fits no limit.
            let fitting = service.titles(&format!("/movie{}", query.replace("length=..", "length=1.."))).await;
            let mut page = get_page(service, &format!("/tonight{query}")).await;
            let mut last = None;
            for _ in 0..10 {
                let title = film(&page);
                assert!(fitting.contains(title.as_ref().unwrap()), "{query}: {title:?}");
                assert_ne!(title, last, "{query}");
                assert!(page.text.contains(&format!("One of {} films that fit", fitting.len())), "{page:?}");
                last = title;
                page = get_page(service, &link(&page, "Another one")).await;
            }
        }
        // Of two films, always the other one.
        films::empty(service).await;
        films::fill(service, &films::films(2)).await;
        let mut page = get_page(service, "/tonight").await;
        let mut seen = vec![film(&page)];
        for _ in 0..20 {
            page = get_page(service, &link(&page, "Another one")).await;
            seen.push(film(&page));
        }
        assert!(seen.windows(2).all(|two| two[0] != two[1]), "{seen:?}");
    }
}

on_both! {
    async fn a_film_of_unknown_length_fits_only_if_there_is_time_for_any(service: &Service) {
        service.add("Heat", "DVD", 0, 1995, 4).await;
        let any = get_page(service, "/tonight").await;
        assert_eq!(film(&any).as_deref(), Some("Heat"));
        assert!(any.text.contains("<p>DVD, 1995</p>") && !any.text.contains("no length"), "{any:?}");
        let none = get_page(service, "/tonight?length=..90").await;
        assert!(none.text.contains("Nothing fits") && none.text.contains("1 film has no length."), "{none:?}");
        assert!(!none.text.contains("The shortest film"), "{none:?}");
        service.add("Ronin", "DVD", 1, 1998, 4).await;
        service.add("Shoah", "DVD", 0, 1985, 4).await;
        let one = get_page(service, "/tonight?length=..90").await;
        assert_eq!(film(&one).as_deref(), Some("Ronin"));
        assert!(one.text.contains("The only film that fits") && one.text.contains("2 films have no length."), "{one:?}");
    }
}

on_both! {
    async fn where_nothing_fits_it_says_what_to_loosen(service: &Service) {
        let none = get_page(service, "/tonight").await;
        assert!(none.text.contains("No films yet"), "{none:?}");
        service.add("Heat", "DVD", 170, 1995, 4).await;
        let only = get_page(service, "/tonight").await;
        assert_eq!(film(&only).as_deref(), Some("Heat"));
        assert!(only.text.contains("The only film that fits") && !only.text.contains("Another one"), "{only:?}");
        for (query, says, leads) in [
            ("length=..169", "The shortest film that fits otherwise takes 2 h 50", "/tonight?length=..170"),
            ("rating=5", "The best film that fits otherwise has 4 stars", "/tonight?rating=4.."),
            ("movieFormat=VHS&length=..200", "There is 1 film on DVD", "/tonight?length=..200&movieFormat=DVD"),
            ("releaseYear=..1994&rating=4..", "There is 1 film of other years", "/tonight?rating=4.."),
        ] {
            let page = get_page(service, &format!("/tonight?{query}")).await;
            assert_eq!(film(&page), None, "{query}");
            assert_eq!(between(&page.text, "<ul class=\"alternatives\">", "</ul>")[0].matches("<li>").count(), 1, "{query}");
            assert_eq!(link(&page, says), leads, "{query}");
            assert_eq!(film(&get_page(service, leads).await).as_deref(), Some("Heat"), "{query}");
        }
        let page = get_page(service, "/tonight?rating=5&movieFormat=VHS").await;
        assert!(page.text.contains("No single change would help"), "{page:?}");
    }
}

on_both! {
    async fn the_form_leads_to_an_address_that_says_all(service: &Service) {
        films::fill(service, &films::films(30)).await;
        let session = service.session_of("viewer").await;
        for (query, address) in [
            ("minutes=&movieFormat=DVD&rating=&yearFrom=&yearTo=", "/tonight?movieFormat=DVD"),
            ("minutes=2+h&rating=4..&yearFrom=1999&yearTo=1900", "/tonight?rating=4..&length=..120&releaseYear=1900..1999"),
        ] {
            let form = service.request_in(&session, Method::GET, &format!("/tonight?{query}"));
            let answer = Answer::of(form).await;
            assert_eq!((answer.status, answer.header("location")), (303, address), "{answer:?}");
        }
        let page = get_page(service, "/tonight?rating=4..&length=..120&releaseYear=1900..1999&movieFormat=VHS").await;
        for kept in ["value=\"120\"", "value=\"VHS\" checked", "value=\"4..\" selected", "value=\"1900\"", "value=\"1999\""] {
            assert!(page.text.contains(kept), "{kept}: {page:?}");
        }
        for (query, refused) in [("minutes=long", "length"), ("not=x", "not"), ("sort=title", "sort")] {
            let answer = Answer::of(service.client.get(format!("{}/tonight?{query}", service.base)).bearer_auth(&service.viewer)).await;
            let answer = match answer.header("location") {
                "" => answer,
                place => service.get(place).await,
            };
            assert_eq!(answer.places(400), [refused], "{query}");
        }
    }
}

on_both! {
    async fn no_title_breaks_out_of_the_page(service: &Service) {
        for hostile in HOSTILE {
            films::empty(service).await;
            service.add(hostile, "DVD", 90, 2000, 3).await;
            let page = get_page(service, "/tonight").await;
            assert_eq!(film(&page).as_deref(), Some(hostile));
            assert!(!page.text.contains(hostile), "{page:?}");
        }
    }
}
