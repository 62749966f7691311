//! The collection, as a shelf and as a table.

use reqwest::Method;
use serde_json::Value;

use super::{HOSTILE, between, get_page, is_page, link, text, titles};
use crate::{
    on_both,
    support::{Answer, Service, films, movie},
};

/// Returns the titles in the API's list.
async fn listed(service: &Service, query: &str) -> Vec<String> {
    let answer = service.get(&format!("/movie?{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {answer:?}");
    let movies = answer.json();
    let title = |movie: &Value| movie["title"].as_str().unwrap().to_owned();
    movies.as_array().unwrap().iter().map(title).collect()
}

on_both! {
    async fn an_address_of_the_apis_list_is_one_of_the_page(service: &Service) {
        films::fill(service, &films::films(150)).await;
        let filters = [
            "", "q=alien", "q=2+fast&rating=..3", "movieFormat=DVD&movieFormat=VHS", "rating=4..", "length=..90",
            "releaseYear=1900..1999", "q=alien&movieFormat=VHS&rating=2..5&length=10..400&releaseYear=1800..2050",
        ];
        let sorts = [
            "title", "-title", "id", "-id", "movieFormat", "-length", "releaseYear", "-releaseYear", "-rating,title",
            "rating,-title", "-createdAt", "updatedAt,title",
        ];
        for filter in filters {
            for sort in if filter.is_empty() { &sorts[..] } else { &["title"] } {
                let query = format!("{filter}&sort={sort}");
                let list = listed(service, &query).await;
                assert!(!list.is_empty(), "{query}");
                for view in ["", "&view=shelf", "&view=table"] {
                    let page = get_page(service, &format!("/?{query}{view}")).await;
                    assert_eq!(titles(&page), list, "{query}{view}");
                    let films = if list.len() == 1 { "1 film".to_owned() } else { format!("{} films", list.len()) };
                    let found = if filter.is_empty() { "" } else { " found" };
                    assert!(page.text.contains(&format!(">{films}{found}</h1>")), "{query}: {page:?}");
                    let chosen = between(&page.text, "<div class=\"views\"", "</div>")[0];
                    let name = if view == "&view=table" { ">Table<" } else { ">Shelf<" };
                    let current = chosen.split_once("aria-current=\"true\"").unwrap().1.split("</a>").next().unwrap();
                    assert!(current.contains(name), "{chosen}");
                }
            }
        }
        // The default order is by title.
        assert_eq!(titles(&get_page(service, "/").await), listed(service, "sort=title").await);
    }
}

on_both! {
    async fn pages_make_the_whole(service: &Service) {
        films::fill(service, &films::films(90)).await;
        for query in ["limit=20", "limit=7&sort=-rating,title&view=table", "limit=13&sort=-releaseYear&q=alien"] {
            let mut seen = Vec::new();
            let mut next = Some(format!("/?{query}"));
            while let Some(path) = next {
                let page = get_page(service, &path).await;
                seen.extend(titles(&page));
                assert_eq!(page.text.contains(">First page</a>"), path.contains("cursor="), "{path}");
                if path.contains("cursor=") {
                    assert_eq!(link(&page, "First page"), format!("/?{}", query.replace(',', "%2C")));
                }
                let more = page.text.contains("rel=\"next\"");
                next = more.then(|| link(&page, "Next page"));
            }
            let of_list = if query.contains("sort=") { query.to_owned() } else { format!("{query}&sort=title") };
            let of_list = of_list.replace("&view=table", "");
            let limit = of_list.split('&').next().unwrap().to_owned();
            assert_eq!(seen, listed(service, &of_list.replace(&limit, "limit=1000")).await, "{query}");
        }
    }
}

on_both! {
    async fn all_films_of_a_list_are_printed(service: &Service) {
        films::fill(service, &films::films(230)).await;
        for query in ["", "rating=2..&sort=-releaseYear", "q=alein"] {
            let page = get_page(service, &format!("/?{query}")).await;
            let print = link(&page, "Print");
            let paper = get_page(service, &print).await;
            let lines = between(&paper.text, "<li><b><bdi>", "</bdi></b>");
            let lines: Vec<String> = lines.into_iter().map(text).collect();
            let sorted = if query.is_empty() { "sort=title" } else { query };
            assert_eq!(lines, listed(service, &format!("{sorted}&limit=1000")).await, "{query}");
            assert!(paper.text.contains(&format!("<h1>{} films</h1>", lines.len())), "{paper:?}");
        }
        assert!(get_page(service, "/print?rating=2..").await.text.contains("<bdi>2 stars and up</bdi>"));
        let refused = service.get("/print?rating=many").await;
        assert_eq!(refused.status, 400, "{refused:?}");
    }
}

on_both! {
    async fn a_year_or_a_format_that_is_searched_is_offered_as_a_filter(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        service.add("1995", "VHS", 90, 2001, 3).await;
        let page = get_page(service, "/?q=1995").await;
        assert_eq!(titles(&page), ["1995"]);
        assert_eq!(link(&page, "1 film of 1995"), "/?releaseYear=1995");
        assert_eq!(titles(&get_page(service, "/?q=heat+1995&view=table").await), [""; 0]);
        let page = get_page(service, "/?q=heat+1995&view=table").await;
        assert!(page.text.contains("href=\"/?view=table&#38;q=heat&#38;releaseYear=1995\""), "{page:?}");
        assert_eq!(link(&get_page(service, "/?q=vhs").await, "1 film on VHS"), "/?movieFormat=VHS");
        for nothing in ["/?q=1996", "/?q=streaming", "/?q=heat", "/?q=1995&releaseYear=2001"] {
            assert!(!get_page(service, nothing).await.text.contains("class=\"offer\""), "{nothing}");
        }
    }
}

on_both! {
    async fn a_film_stands_on_the_shelf_as_what_it_is(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        service.add("The Matrix", "VHS", 136, 1999, 4).await;
        service.add("Roma", "Streaming", 60, 2018, 1).await;
        let page = get_page(service, "/").await;
        let spines = between(&page.text, "<a class=\"spine ", "</a>");
        let names: Vec<&str> = spines.iter().flat_map(|spine| between(spine, "aria-label=\"", "\"")).collect();
        assert_eq!(names, ["Heat 1995, DVD, 5 stars", "The Matrix 1999, VHS, 4 stars", "Roma 2018, Streaming, 1 star"]);
        let texts = |spine: &str| spine.split('<').filter_map(|piece| piece.split_once('>')).map(|(_, text)| text).collect();
        let seen: Vec<String> = spines.iter().map(|spine| texts(spine)).collect();
        assert_eq!(seen, ["Heat 1995", "The Matrix 1999", "Roma 2018"]);
        let kinds: Vec<&str> = between(&page.text, "<li class=\"film ", " hue-");
        assert_eq!(kinds, ["dvd", "vhs", "tile"]);
        for front in ["DVD, 2 h 50, 1995", "VHS, 2 h 16, 1999", "Streaming, 1 h, 2018"] {
            assert!(page.text.contains(&format!("<p>{front}</p>")), "{page:?}");
        }
        // Each spine links to its film, for viewers, too.
        let leads: Vec<&str> = spines.iter().flat_map(|spine| between(spine, "href=\"/film/", "\"")).collect();
        let request = service.request_as(&service.viewer, Method::GET, "/").header("accept", "text/html");
        let viewer = Answer::of(request).await;
        assert_eq!(leads.len(), 3);
        assert_eq!(between(&viewer.text, "href=\"/film/", "\""), leads);
        assert!(!viewer.text.contains("/edit/"), "{viewer:?}");
        // The appearance depends only on the title.
        let look = |page: &Answer| between(&page.text, "<li class=\"film ", "<b ")[0].split(" hue-").nth(1).unwrap()[..4].to_owned();
        let before = look(&get_page(service, "/?q=heat").await);
        service.patch("/movie/1", &serde_json::json!({"title": "HEAT", "rating": 1, "movieFormat": "VHS"})).await;
        assert_eq!(look(&get_page(service, "/?q=heat").await), before);
    }
}

on_both! {
    async fn signposts_stand_before_the_first_of_a_kind(service: &Service) {
        for (title, format, year, rating) in [
            ("8½", "DVD", 1963, 5), ("Alien", "VHS", 1979, 5), ("Amélie", "DVD", 2001, 4), ("The Birds", "VHS", 1963, 4),
            ("A Bug's Life", "DVD", 1998, 3), ("Éclair", "Streaming", 2009, 1), ("الرسالة", "VHS", 1976, 4),
        ] {
            service.add(title, format, 100, year, rating).await;
        }
        for (sort, posts) in [
            ("title", vec!["0–9", "A", "B", "E", "ا"]),
            ("-title", vec!["ا", "E", "B", "A", "0–9"]),
            ("releaseYear", vec!["1960s", "1970s", "1990s", "2000s"]),
            ("-rating,title", vec!["★★★★★", "★★★★", "★★★", "★"]),
            ("movieFormat,title", vec!["DVD", "Streaming", "VHS"]),
            ("-createdAt", vec![]),
        ] {
            let page = get_page(service, &format!("/?sort={sort}")).await;
            let shelf = page.text.split_once("<ul class=\"shelf\">").unwrap().1;
            let found: Vec<&str> = between(shelf, "<h2", "</h2>").into_iter().map(|h| h.split_once('>').unwrap().1).collect();
            assert_eq!(found, posts, "{sort}");
            assert!(!get_page(service, &format!("/?sort={sort}&view=table")).await.text.contains("class=\"post\""));
        }
    }
}

on_both! {
    async fn one_can_jump_to_each_signpost_wherever_it_is(service: &Service) {
        films::fill(service, &films::films(120)).await;
        for (sort, filter) in [
            ("title", ""), ("-title", ""), ("releaseYear", ""), ("-releaseYear,title", "&releaseYear=1915..2009"),
            ("-rating,title", ""), ("rating,-title", "&rating=2..4"), ("movieFormat,title", "&movieFormat=DVD&movieFormat=VHS"),
        ] {
            let whole = get_page(service, &format!("/?sort={sort}{filter}")).await;
            let all = titles(&whole);
            let shelf = whole.text.split_once("<ul class=\"shelf\">").unwrap().1;
            let posts = between(shelf, "<li class=\"post\"", "</b>");
            let page = get_page(service, &format!("/?sort={sort}{filter}&limit=5")).await;
            for post in posts {
                let label = post.split_once("</h2>").unwrap().0.rsplit_once('>').unwrap().1;
                let title = text(post.split_once("<b dir=\"auto\">").unwrap().1);
                if label.chars().all(|c| c > '\u{600}' && c < '\u{700}') {
                    continue; // other scripts follow behind Z
                }
                let place = link(&page, label);
                if let Some(id) = place.strip_prefix('#') {
                    let there = page.text.split_once(&format!("id=\"{id}\"")).unwrap().1;
                    assert_eq!(text(between(there, "<b dir=\"auto\">", "<")[0]), title, "{sort}: {label}");
                    continue;
                }
                let there = titles(&get_page(service, &place).await);
                let at = all.iter().position(|t| *t == title).unwrap();
                assert_eq!(there, all[at..all.len().min(at + 5)], "{sort}: {label}");
            }
        }
    }
}

on_both! {
    async fn a_heading_of_the_table_sorts_and_turns_round(service: &Service) {
        films::fill(service, &films::films(12)).await;
        let mut page = get_page(service, "/?view=table&rating=1..").await;
        for (heading, sort, state) in [
            ("Title", "-title", "descending"), ("Title", "title", "ascending"), ("Year", "-releaseYear", "descending"),
            ("Year", "releaseYear", "ascending"), ("Length", "length", "ascending"), ("Format", "movieFormat", "ascending"),
            ("Rating", "-rating", "descending"), ("Rating", "rating", "ascending"),
        ] {
            page.text = page.text.split_off(page.text.find("<thead>").unwrap());
            page = get_page(service, &link(&page, heading)).await;
            assert_eq!(titles(&page), listed(service, &format!("sort={sort}")).await, "{sort}");
            let states = between(&page.text, "aria-sort=\"", "\"");
            assert_eq!(states.iter().filter(|state| **state != "none").collect::<Vec<_>>(), [&state], "{sort}");
            assert!(page.text.contains(&format!("aria-sort=\"{state}\"><a href")), "{page:?}");
        }
        let page = get_page(service, "/?view=table&sort=-rating,title,-length").await;
        let headings = between(&page.text, "<th scope=\"col\" class=\"", "\"");
        assert_eq!(headings, [" then-up", "number", "", "number then-down", ""]);
        let page = get_page(service, "/?view=table&sort=rating").await;
        let row = between(&page.text, "<th scope=\"row\">", "</tr>")[0];
        assert!(row.contains("<td class=\"number\">"), "{row}");
        assert!(row.contains("<span class=\"stars s1\" role=\"img\" aria-label=\"1 star\">★<"), "{row}");
    }
}

on_both! {
    async fn no_title_breaks_out_of_the_page(service: &Service) {
        let marks = format!("Z{}", "\u{338}\u{489}".repeat(24));
        let strange = ["\u{202b}txet desrever", "a \u{2067}b", "</bdi></b></button>", marks.as_str(), "١٢٣ الرسالة", "👩‍👩‍👧"];
        for title in HOSTILE.into_iter().chain(strange) {
            service.add(title, "VHS", 90, 2001, 3).await;
        }
        let mut stored = listed(service, "sort=title").await;
        stored.sort();
        for path in ["/", "/?view=table"] {
            let page = get_page(service, path).await;
            let mut shown = titles(&page);
            shown.sort();
            assert_eq!(shown, stored, "{path}");
            for never in ["<script>", "<img", "<b>&", " style=", "</bdi></b></button>\""] {
                assert!(!page.text.contains(never), "{path}: {never}");
            }
            assert_eq!(page.text.matches("</main>").count(), 1);
        }
        for hostile in HOSTILE.into_iter().chain(strange) {
            let query = form_urlencoded::Serializer::new(String::new()).append_pair("q", hostile).finish();
            let page = get_page(service, &format!("/?{query}")).await;
            assert!(!page.text.contains("<script>") && !page.text.contains("<img"), "{page:?}");
            let input = between(&page.text, "<input id=\"q\"", ">")[0];
            assert_eq!(text(between(input, "value=\"", "\"")[0]), hostile);
        }
    }
}

on_both! {
    async fn an_empty_collection_says_how_to_begin(service: &Service) {
        let page = get_page(service, "/").await;
        for words in ["The shelf is empty", "reelshelf add", "reelshelf import films.csv", "the API</a>"] {
            assert!(page.text.contains(words), "{words}: {page:?}");
        }
        assert_eq!((link(&page, "Add a film"), link(&page, "Import a collection")), ("/add".into(), "/import".into()));
        assert!(!page.text.contains("id=\"filters\""), "{page:?}");
        let request = service.request_as(&service.viewer, Method::GET, "/").header("accept", "text/html");
        let viewer = Answer::of(request).await;
        is_page(&viewer, 200);
        assert!(viewer.text.contains("The shelf is empty") && !viewer.text.contains("reelshelf add"), "{viewer:?}");
    }
}

on_both! {
    async fn a_search_without_a_result_leads_back(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        let page = get_page(service, "/?q=xyzzy&movieFormat=VHS&view=table").await;
        for words in [">0 films found</h1>", "Nothing found for “<bdi>xyzzy</bdi>” with these filters.", "<bdi>“\u{2068}xyzzy\u{2069}”</bdi>"] {
            assert!(page.text.contains(words), "{words}: {page:?}");
        }
        assert_eq!(link(&page, "clear the search and all filters"), "/?view=table");
        assert!(get_page(service, "/?rating=1").await.text.contains("No film matches this filter."));
        // A page behind the last film, because others were deleted meanwhile.
        service.add("Alien", "DVD", 117, 1979, 5).await;
        let next = link(&get_page(service, "/?limit=1").await, "Next page");
        service.delete("/movie/1").await;
        let page = get_page(service, &next).await;
        assert_eq!(link(&page, "Back to the first page"), "/?limit=1");
    }
}

on_both! {
    async fn a_search_with_a_typing_error_shows_what_is_near_and_says_so(service: &Service) {
        for (title, format, rating) in [("Matrices", "VHS", 2), ("The Matrix", "DVD", 5), ("Heat", "DVD", 4)] {
            service.add(title, format, 90, 1999, rating).await;
        }
        for view in ["shelf", "table"] {
            let page = get_page(service, &format!("/?q=matrx&view={view}")).await;
            assert_eq!(titles(&page), listed(service, "q=matrx").await);
            assert_eq!(titles(&page), ["The Matrix", "Matrices"]);
            for words in ["No title matches “<bdi>matrx</bdi>”. 2 films are similar.", ">2 films found</h1>", "Nearest first"] {
                assert!(page.text.contains(words), "{words}: {page:?}");
            }
            let sorted = get_page(service, &format!("/?q=matrx&sort=rating&view={view}")).await;
            assert_eq!(titles(&sorted), ["Matrices", "The Matrix"]);
        }
        assert!(!get_page(service, "/?q=matrix").await.text.contains("No title has"));
    }
}

on_both! {
    async fn the_first_view_of_ten_thousand_films_is_small(service: &Service) {
        let movies: Vec<Value> = (0..10_000).map(|n| {
            let words = ["Night", "Return", "City", "Summer", "Ghost", "River", "Letter", "Stranger", "Garden", "Winter", "Road"];
            let title = format!("The {} of {} {}", words[n % 11], words[n / 11 % 11], words[n / 121 % 11]);
            let n = i64::try_from(n).unwrap();
            movie(&format!("{title} {n}"), ["DVD", "VHS", "Streaming"][usize::try_from(n % 3).unwrap()], n * 7 % 300, 1920 + n * 11 % 100, 1 + n * 3 % 5)
        }).collect();
        films::fill(service, &movies).await;
        let fetch = async |path: &str| {
            let request = service.request(Method::GET, path).header("accept-encoding", "gzip");
            let response = request.send().await.unwrap();
            assert_eq!(response.headers()["content-encoding"], "gzip", "{path}");
            response.bytes().await.unwrap().len()
        };
        for path in ["/", "/?view=table"] {
            let page = get_page(service, path).await;
            let mut bytes = fetch(path).await;
            // Scripts import each other.
            let mut assets: Vec<String> = between(&page.text, "=\"/assets/", "\"").into_iter().map(str::to_owned).collect();
            let mut n = 0;
            while n < assets.len() {
                let asset = format!("/assets/{}", assets[n]);
                let folder = assets[n].split('/').next().unwrap().to_owned();
                bytes += fetch(&asset).await;
                for name in between(&service.get(&asset).await.text, "\"./", "\"") {
                    let imported = format!("{folder}/{name}");
                    if !assets.contains(&imported) {
                        assets.push(imported);
                    }
                }
                n += 1;
            }
            assert!(assets.iter().any(|asset| asset.ends_with("/service.js")), "{assets:?}");
            assert!(bytes < 60_000, "{path}: {bytes} bytes");
        }
    }
}
