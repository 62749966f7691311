//! The page of a film.

use reqwest::Method;
use serde_json::json;

use super::{HOSTILE, between, get_page, is_page, link, no_other_site_sends, send, text, with_cookie};
use crate::{
    on_both,
    support::{Answer, Service, films, movie},
};

/// Requests a page as a user who comes from another page.
async fn get_from(service: &Service, user: &str, path: &str, from: &str) -> Answer {
    let session = service.session_of(user).await;
    let request = service.request_in(&session, Method::GET, path).header("accept", "text/html");
    Answer::of(request.header("referer", format!("{}{from}", service.base))).await
}

/// Returns the titles and links of the previous and next film.
fn beside(page: &Answer) -> [Option<(String, String)>; 2] {
    ["prev", "next"].map(|rel| {
        let found = between(&page.text, &format!("<a rel=\"{rel}\" href=\""), "</bdi>");
        let (address, rest) = found.first()?.split_once('"')?;
        Some((text(rest.rsplit_once("<bdi>")?.1), text(address)))
    })
}

/// Returns only the titles.
fn titles_beside(page: &Answer) -> [String; 2] {
    beside(page).map(|film| film.map(|(title, _)| title).unwrap_or_default())
}

on_both! {
    async fn it_tells_all_of_a_film(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        service.add("Heat", "VHS", 170, 1995, 3).await;
        service.patch("/movie/1", &json!({"rating": 4})).await;
        for (user, may_edit) in [("viewer", false), ("editor", true), ("owner", true)] {
            let page = get_from(service, user, "/film/1", "/").await;
            is_page(&page, 200);
            let main = page.text.split_once("<main").unwrap().1;
            assert!(main.contains("<h1><bdi>Heat</bdi></h1>") && main.contains("1995 · DVD · 2 h 50"), "{page:?}");
            assert!(main.contains("class=\"cover dvd hue-"), "{page:?}");
            assert!(main.contains("Added <time datetime=\"2026-11-23T20:15:") && main.contains("\">23 Nov 2026, 20:15 UTC</time> by <bdi>owner</bdi></p>"), "{page:?}");
            assert_eq!(link(&page, "VHS"), "/film/2");
            assert_eq!(between(main, "id=\"change-", "\""), ["3", "1"]);
            assert!(main.contains("<del><bdi>5 stars</bdi></del>"), "{page:?}");
            assert_eq!(main.contains("action=\"/film/1/rating\""), may_edit, "{page:?}");
            assert_eq!(main.contains("href=\"/edit/1?back=%2Ffilm%2F1\""), may_edit, "{page:?}");
            assert_eq!(main.contains("action=\"/undo\""), may_edit, "{page:?}");
            assert_eq!(main.contains("action=\"/edit/1/delete\""), may_edit, "{page:?}");
            if may_edit {
                let stars = between(main, "<button name=\"rating\" value=\"", "</button>");
                assert_eq!(stars.iter().map(|star| star.contains(" on\"")).collect::<Vec<_>>(), [true, true, true, true, false]);
                assert_eq!(stars.iter().map(|star| star.contains("aria-pressed=\"true\"")).collect::<Vec<_>>(), [false, false, false, true, false]);
            } else {
                assert!(main.contains("<p class=\"stars s4\" role=\"img\" aria-label=\"4 stars\">★★★★<"), "{page:?}");
            }
        }
        // It names an import, and leaves out an unknown length.
        let batch = json!({"operations": [{"op": "create", "movie": movie("Alien", "DVD", 0, 1979, 5)}, {"op": "create", "movie": movie("Aliens", "DVD", 137, 1986, 5)}]});
        service.post("/movie/batch", &batch).await;
        let page = get_page(service, "/film/3").await;
        assert!(page.text.contains("by <bdi>owner</bdi>, with <a href=\"/changes/4\">1 other film</a>"), "{page:?}");
        assert!(!page.text.contains("0 min</p>") && page.text.contains("1979 · DVD</p>"), "{page:?}");
        let nobody = Answer::of(service.anonymous(Method::GET, "/film/1").header("accept", "text/html")).await;
        assert_eq!((nobody.status, nobody.header("location")), (303, "/login?next=%2Ffilm%2F1"));
    }
}

on_both! {
    async fn the_films_beside_it_are_those_of_the_list_that_one_came_from(service: &Service) {
        films::fill(service, &films::films(230)).await;
        for query in ["", "?sort=-rating", "?sort=-releaseYear,title", "?movieFormat=DVD&rating=3..", "?sort=length&view=table", "?sort=-createdAt", "?q=a"] {
            let api = query.replace("&view=table", "").replace('?', "&");
            let sort = if api.contains("sort=") { "" } else { "&sort=title" };
            let list = service.get(&format!("/movie?limit=1000{sort}{api}")).await.json();
            let list = list.as_array().unwrap();
            let title = |n: Option<usize>| n.and_then(|n| list.get(n)).map(|film| film["title"].as_str().unwrap().to_owned()).unwrap_or_default();
            for n in [0, 1, 2, list.len() / 2, list.len() - 2, list.len() - 1] {
                let path = format!("/film/{}", list[n]["id"]);
                let expected = [title(n.checked_sub(1)), title(Some(n + 1))];
                let page = get_from(service, "viewer", &path, &format!("/{query}")).await;
                is_page(&page, 200);
                assert_eq!(titles_beside(&page), expected, "{query}: {n}");
                // From then on the URL has the list.
                let [_, Some((_, next))] = beside(&page) else { continue };
                assert_eq!(next, format!("/film/{}{}", list[n + 1]["id"], query.replace(',', "%2C")));
                assert_eq!(titles_beside(&get_page(service, &next).await)[0], title(Some(n)), "{query}: {n}");
            }
        }
        // Fuzzy matches, too.
        let page = get_from(service, "viewer", "/film/2", "/?q=alein").await;
        let near = service.get("/movie?q=alein").await.json();
        let place = near.as_array().unwrap().iter().position(|film| film["id"] == 2).unwrap();
        assert_eq!(titles_beside(&page)[1], near[place + 1]["title"].as_str().unwrap());
        // Other pages are ignored; an invalid list is an error.
        for from in ["/tonight?rating=1", "/changes?film=2", "//evil.example/?rating=1", "/?rating=9", "/?cursor=x"] {
            let page = get_from(service, "viewer", "/film/2", from).await;
            assert_eq!(titles_beside(&page), titles_beside(&get_page(service, "/film/2").await), "{from}");
        }
        let request = service.request(Method::GET, "/film/2?rating=9").header("accept", "text/html");
        is_page(&Answer::of(request).await, 400);
    }
}

on_both! {
    async fn on_the_shelf_leads_to_the_page_that_has_the_film(service: &Service) {
        films::fill(service, &films::films(240)).await;
        for query in ["", "?sort=-rating&view=table"] {
            let sort = if query.is_empty() { "sort=title" } else { "sort=-rating" };
            let list = service.get(&format!("/movie?limit=1000&{sort}")).await.json();
            for n in [0, 199, 200, 239] {
                let page = get_page(service, &format!("/film/{}{query}", list[n]["id"])).await;
                let label = if query.is_empty() { "On the shelf" } else { "In the table" };
                let shelf = link(&page, label);
                assert_eq!(shelf.contains("cursor="), n >= 200, "{n}: {shelf}");
                let shelf = get_page(service, &shelf).await;
                assert!(shelf.text.contains(&format!("href=\"/film/{}\"", list[n]["id"])), "{n}");
            }
        }
    }
}

on_both! {
    async fn stars_are_given_by_editors(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        let session = service.session_of("editor").await;
        for (stars, unchanged) in [("3", false), ("3", true), ("1", false)] {
            let given = send(service, &session, "/film/1/rating?sort=-rating&cursor=x", &[("rating", stars)]).await;
            assert_eq!((given.status, given.header("location")), (303, "/film/1?sort=-rating"), "{given:?}");
            assert_eq!(given.header("set-cookie").starts_with("reelshelf_notice=unchanged;"), unchanged, "{given:?}");
            assert_eq!(service.get("/movie/1").await.json()["rating"].to_string(), stars);
        }
        for wrong in ["0", "6", "", "x", "3.5"] {
            is_page(&send(service, &session, "/film/1/rating", &[("rating", wrong)]).await, 422);
        }
        let viewer = service.session_of("viewer").await;
        is_page(&send(service, &viewer, "/film/1/rating", &[("rating", "5")]).await, 403);
        no_other_site_sends(service, &session, "/film/1/rating", &[("rating", "5")]).await;
        assert_eq!(service.get("/movie/1").await.json()["rating"], 1);
        service.delete("/movie/1").await;
        let gone = send(service, &session, "/film/1/rating", &[("rating", "5")]).await;
        assert_eq!((gone.status, gone.header("location")), (303, "/film/1"), "{gone:?}");
    }
}

on_both! {
    async fn of_a_film_that_was_deleted_one_is_told_by_whom_and_may_bring_it_back(service: &Service) {
        service.add("Alien", "DVD", 117, 1979, 5).await;
        service.add("Heat", "DVD", 170, 1995, 5).await;
        service.delete("/movie/1").await;
        let session = service.session_of("editor").await;
        for path in ["/film/1", "/edit/1"] {
            let gone = with_cookie(service, &session, Method::GET, path).await;
            is_page(&gone, 404);
            assert!(gone.text.contains("<h1>“\u{2068}Alien\u{2069}” was deleted</h1>"), "{gone:?}");
            assert!(gone.text.contains("<bdi>owner</bdi> deleted it, <time datetime=\"2026"), "{gone:?}");
            assert!(gone.text.contains(">Restore</button>"), "{gone:?}");
            assert_eq!(link(&gone, "History"), "/changes?film=1");
        }
        let viewer = get_from(service, "viewer", "/film/1", "/").await;
        is_page(&viewer, 404);
        assert!(viewer.text.contains("deleted it") && !viewer.text.contains("/undo"), "{viewer:?}");

        let back = send(service, &session, "/undo", &[("change", "3"), ("back", "/film/1")]).await;
        assert_eq!(back.header("location"), "/film/1");
        is_page(&with_cookie(service, &session, Method::GET, "/film/1").await, 200);

        let both = json!({"operations": [{"op": "delete", "id": 1}, {"op": "delete", "id": 2}]});
        service.post("/movie/batch", &both).await;
        let gone = get_from(service, "editor", "/film/2", "/").await;
        assert!(gone.text.contains(", with <a href=\"/changes/5\">1 other film</a>.") && gone.text.contains(">Restore all 2 films</button>"), "{gone:?}");
        // A film that never existed is reported as a film, not as a movie.
        let added = service.add("Zodiac", "DVD", 157, 2007, 4).await["id"].clone();
        let last = service.get("/history?limit=1").await.json()[0]["id"].clone();
        service.post(&format!("/history/{last}/undo"), &json!({})).await;
        let gone = get_from(service, "editor", &format!("/film/{added}"), "/").await;
        assert!(gone.text.contains("<bdi>owner</bdi> undid the change that had added it"), "{gone:?}");
        for never in ["/film/99", "/film/0", "/film/x", "/edit/99"] {
            let page = get_from(service, "editor", never, "/").await;
            is_page(&page, 404);
            let main = page.text.split_once("<main").unwrap().1;
            assert!(main.contains("film") && !main.contains("movie"), "{page:?}");
        }
    }
}

on_both! {
    async fn a_film_that_was_added_stands_where_one_lands(service: &Service) {
        films::fill(service, &films::films(250)).await;
        let session = service.session_of("editor").await;
        for (back, title, has_cursor, address) in [
            ("/", "Aaa", false, "/#added"),
            ("/", "Zzz", true, ""),
            ("/?movieFormat=DVD&sort=-rating", "Zaz", false, "/?movieFormat=DVD&sort=-rating#added"),
            ("/?movieFormat=VHS&sort=-createdAt&view=table", "Other", false, "/?sort=-createdAt&view=table#added"),
            ("/?q=nothing+like+it", "Aab", false, "/#added"),
            ("/statistics?rating=1", "Aac", false, "/#added"),
            ("/?rating=9", "Aad", false, "/#added"),
        ] {
            service.pass_millis(1000);
            let fields = [("title", title), ("movieFormat", "DVD"), ("length", "90"), ("releaseYear", "2001"), ("rating", "1"), ("save", ""), ("back", back)];
            let added = send(service, &session, "/add", &fields).await;
            let place = added.header("location");
            assert_eq!(added.status, 303, "{added:?}");
            assert_eq!(place.contains("cursor="), has_cursor, "{title}: {place}");
            assert!(address.is_empty() || place == address, "{title}: {place}");
            let notice = added.header("set-cookie").split(';').next().unwrap();
            let path = place.split('#').next().unwrap();
            let page = with_cookie(service, &format!("{session}; {notice}"), Method::GET, path).await;
            is_page(&page, 200);
            let marked = between(&page.text, "id=\"added\"", "</bdi>");
            assert!(marked.len() == 1 && marked[0].ends_with(&format!("<bdi>{title}")), "{title}: {marked:?}");
            let message = between(&page.text, "id=\"messages\"", "</div>")[0];
            let id = service.get("/movie?sort=-id&limit=1").await.json()[0]["id"].clone();
            assert!(message.contains(&format!("Added <a href=\"/film/{id}\">“\u{2068}{title}\u{2069}”</a>.")), "{message}");
            let again = with_cookie(service, &session, Method::GET, path).await;
            assert!(!again.text.contains("id=\"added\""), "{again:?}");
        }
    }
}

on_both! {
    async fn no_title_breaks_out_of_the_page(service: &Service) {
        let marks = format!("Z{}", "\u{338}\u{489}".repeat(24));
        for title in HOSTILE.into_iter().chain(["\u{202b}txet desrever", marks.as_str(), "</bdi></h1></main>"]) {
            let id = service.add(title, "VHS", 90, 2001, 3).await["id"].clone();
            for gone in [false, true] {
                if gone {
                    service.delete(&format!("/movie/{id}")).await;
                }
                let page = get_from(service, "editor", &format!("/film/{id}"), "/").await;
                is_page(&page, if gone { 404 } else { 200 });
                for never in ["<script>", "<img", "<b>&", " style=", "</bdi></h1></main>"] {
                    assert!(!page.text.contains(never), "{never}: {page:?}");
                }
                assert_eq!(page.text.matches("</main>").count(), 1);
            }
        }
    }
}
