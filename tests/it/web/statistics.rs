//! The statistics page and the links of its bars.

use super::{HOSTILE, between, get_page, link, text};
use crate::{
    on_both,
    support::{Answer, films},
};

/// Returns the rows of the charts: label, number of films, link.
fn bars(page: &Answer) -> Vec<(String, String, Option<String>)> {
    let rows = between(&page.text, "<tr><th scope=\"row\">", "</tr>").into_iter();
    let bar = |row: &str| {
        let (head, rest) = row.split_once("</th>").unwrap();
        let label = head.rsplit_once(if head.contains("</span>") { "aria-label=\"" } else { ">" });
        let label = match label {
            Some((_, label)) if head.contains("</span>") => label.split_once('"').unwrap().0,
            _ => head.trim_end_matches("</a>").rsplit('>').next().unwrap(),
        };
        let films = between(rest, "<span class=\"number\">", "<")[0].to_owned();
        (text(label), films, between(head, "href=\"", "\"").first().map(|href| text(href)))
    };
    rows.map(bar).collect()
}

on_both! {
    async fn each_bar_leads_to_the_films_that_it_counts(service: &Service) {
        films::fill(service, &films::films(700)).await;
        for query in [
            "", "movieFormat=DVD", "rating=2..4&releaseYear=1805..1999", "length=..130&q=alien",
            "q=alien&movieFormat=VHS&movieFormat=DVD&length=17..200&releaseYear=1955", "q=zodaic",
        ] {
            let page = get_page(service, &format!("/statistics?{query}")).await;
            let stats = service.get(&format!("/stats?{query}")).await.json();
            let all = stats["movies"].as_i64().unwrap();
            let bars = bars(&page);
            let sum: i64 = bars.iter().map(|(_, films, _)| films.parse::<i64>().unwrap()).sum();
            let movies = service.get(&format!("/movie?{query}")).await.json();
            let unknown = movies.as_array().unwrap().iter().filter(|movie| movie["length"] == 0).count();
            assert_eq!(sum, 4 * all - i64::try_from(unknown).unwrap(), "{query}: {bars:?}");
            assert!(page.text.contains(&format!("<h1>{all} films")), "{query}: {page:?}");
            for (label, films, href) in bars {
                let expected = stats["movieFormat"].get(&label).or(stats["decade"].get(label.trim_end_matches('s')));
                let expected = expected.or(stats["rating"].get(label.trim_end_matches(" stars").trim_end_matches(" star")));
                if let Some(expected) = expected {
                    assert_eq!(films, expected.to_string(), "{query}: {label}");
                }
                let Some(href) = href else {
                    assert_eq!(films, "0", "{query}: {label}");
                    continue;
                };
                let listed = service.titles(&format!("/movie{}", &href[1..])).await;
                assert_eq!(films, listed.len().to_string(), "{query}: {label} {href}");
                get_page(service, &href).await;
            }
        }
    }
}

on_both! {
    async fn they_leave_out_unknown_lengths(service: &Service) {
        service.add("Heat", "DVD", 0, 1995, 5).await;
        let page = get_page(service, "/statistics").await;
        assert!(page.text.contains("1 film has no length.") && !page.text.contains("takes"), "{page:?}");
        service.add("Ronin", "DVD", 120, 1998, 3).await;
        service.add("Shoah", "VHS", 0, 1985, 4).await;
        let page = get_page(service, "/statistics").await;
        for said in ["takes</dt><dd>2 hours<", "on average</dt><dd>2 h<", "<dd>4.0<", "2 films have no length."] {
            assert!(page.text.contains(said), "{said}: {page:?}");
        }
        let (_, films, _) = bars(&page).into_iter().find(|(label, ..)| label == "under 1 h").unwrap();
        assert_eq!(films, "0");
    }
}

on_both! {
    async fn they_tell_totals_and_means(service: &Service) {
        let empty = get_page(service, "/statistics").await;
        assert!(empty.text.contains("Nothing to count yet"), "{empty:?}");
        service.add("Heat", "DVD", 170, 1995, 5).await;
        let one = get_page(service, "/statistics").await;
        for said in ["<h1>1 film</h1>", "To watch it takes</dt><dd>2 hours and 50 minutes<", "<dd>2 h 50<", "<dd>5.0<"] {
            assert!(one.text.contains(said), "{said}: {one:?}");
        }
        service.add("Shoah", "VHS", 500, 1985, 4).await;
        service.add("Sátántangó", "VHS", 439, 1994, 4).await;
        service.add("Out 1", "VHS", 500, 1971, 2).await;
        let page = get_page(service, "/statistics").await;
        for said in ["<h1>4 films</h1>", "them all takes</dt><dd>1 day and 2 hours<", "<dd>6 h 42<", "<dd>3.8<"] {
            assert!(page.text.contains(said), "{said}: {page:?}");
        }
        // The decade in between has no film, and an empty bar.
        let page = get_page(service, "/statistics?rating=..4&movieFormat=VHS&releaseYear=..1989").await;
        let decades: Vec<String> = bars(&page).into_iter().map(|(label, ..)| label).take(2).collect();
        assert_eq!(decades, ["1970s", "1980s"]);
        let none = get_page(service, "/statistics?rating=1").await;
        assert!(none.text.contains("No film matches this filter"), "{none:?}");
    }
}

on_both! {
    async fn filters_can_be_taken_away_and_come_from_the_collection(service: &Service) {
        films::fill(service, &films::films(30)).await;
        let collection = get_page(service, "/?q=alien&rating=2..&view=table&sort=-rating&limit=3").await;
        let address = link(&collection, "Statistics of these films");
        assert_eq!(address, "/statistics?q=alien&rating=2..");
        let page = get_page(service, &address).await;
        let chips = between(&page.text, "<ul class=\"chips\"", "</ul>")[0];
        let hrefs: Vec<String> = between(chips, "href=\"", "\"").into_iter().map(text).collect();
        assert_eq!(hrefs, ["/statistics?rating=2..", "/statistics?q=alien", "/statistics"]);
        assert_eq!(link(&page, "Show these films"), "/?q=alien&rating=2..");
        for (path, refused) in [("/statistics?sort=title", "sort"), ("/statistics?rating=6", "rating")] {
            assert_eq!(service.get(path).await.places(400), [refused]);
        }
    }
}

on_both! {
    async fn no_search_breaks_out_of_the_page(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        for hostile in HOSTILE {
            let query = form_urlencoded::Serializer::new(String::new()).append_pair("q", hostile).finish();
            let page = get_page(service, &format!("/statistics?{query}")).await;
            assert!(!page.text.contains(hostile), "{page:?}");
        }
    }
}

on_both! {
    async fn the_best_rated_decade_and_the_longest_and_oldest_film_lead_to_what_they_name(service: &Service) {
        service.add("Unknown", "VHS", 0, 1960, 5).await;
        let one = get_page(service, "/statistics").await;
        assert!(one.text.contains("Oldest film") && !one.text.contains("Longest film"), "{one:?}");
        assert!(!one.text.contains("Best rated decade"), "{one:?}");
        for n in 0..5 {
            service.add(&format!("Old {n}"), "VHS", 90 + n, 1980 + n, 3).await;
            service.add(&format!("New {n}"), "DVD", 100 + n, 1990 + n, 4).await;
        }
        let figures = |page: &Answer| {
            let list = page.text.split_once("<dl class=\"figures\">").unwrap().1.split_once("</dl>").unwrap().0;
            let rows = between(list, "<dt>", "</div>").into_iter();
            let link = |row: &str| Some((row.split_once("</dt>")?.0.to_owned(), text(between(row, "href=\"", "\"").first()?)));
            rows.filter_map(link).collect::<Vec<(String, String)>>()
        };
        let named = |name: &str, href: &str| (name.to_owned(), href.to_owned());
        let all = get_page(service, "/statistics").await;
        assert_eq!(figures(&all), [
            named("Best rated decade", "/?releaseYear=1990..1999"),
            named("Longest film", "/film/11"),
            named("Oldest film", "/film/1"),
        ]);
        assert!(all.text.contains("<small>4.0 stars on average</small>") && all.text.contains("<small>1 h 44</small>"), "{all:?}");
        // They follow the filters, also those of years and ratings.
        let tapes = get_page(service, "/statistics?movieFormat=VHS&rating=..3").await;
        assert_eq!(figures(&tapes), [named("Longest film", "/film/10"), named("Oldest film", "/film/2")]);
        let years = get_page(service, "/statistics?releaseYear=1982..1995").await;
        assert_eq!(figures(&years), [named("Longest film", "/film/11"), named("Oldest film", "/film/6")]);
        // Also those that are but near to what was searched.
        let near = get_page(service, "/statistics?q=unknwon").await;
        assert_eq!(figures(&near), [named("Oldest film", "/film/1")]);
    }
}
