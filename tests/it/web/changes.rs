//! The history, and undo.

use reelshelf::limits::MAX_UNCONFIRMED_FILMS;
use reqwest::Method;
use serde_json::json;

use super::{HOSTILE, between, get_page, is_page, link, no_other_site_sends, send, text, with_cookie};
use crate::{
    on_both,
    support::{Answer, films, movie},
};

/// Returns the text of each change on a page.
fn entries(page: &Answer) -> Vec<String> {
    between(&page.text, "<li class=\"change\"", "\n</li>").into_iter().map(words).collect()
}

/// Returns the text of HTML.
fn words(html: &str) -> String {
    let pieces = html.split('<').filter_map(|piece| piece.split_once('>')).map(|(_, words)| words);
    text(&pieces.collect::<String>()).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns whether a page offers to undo a change.
fn has_undo(page: &Answer, change: i64) -> bool {
    page.text.contains(&format!("name=\"change\" value=\"{change}\""))
}

on_both! {
    async fn it_tells_who_did_what_when(service: &Service) {
        let empty = get_page(service, "/changes").await;
        assert!(empty.text.contains("No changes yet"), "{empty:?}");
        service.add("Heat", "DVD", 170, 1995, 5).await;
        service.pass_millis(60_000);
        let session = service.session_of("editor").await;
        let changes = json!({"title": "Heat 2", "movieFormat": "VHS", "length": 59, "releaseYear": 1996, "rating": 1});
        let request = service.request_in(&session, Method::PATCH, "/movie/1").json(&changes);
        assert_eq!(Answer::of(request).await.status, 200);
        service.delete("/movie/1").await;
        films::fill(service, &films::films(2)).await;

        let page = get_page(service, "/changes").await;
        let shown = entries(&page);
        assert!(shown[0].starts_with("Imported 2 films by owner with the token test, 23 Nov 2026, 20:16 UTC"), "{shown:?}");
        assert!(shown[0].contains("Alien 0 added: DVD, 1800, 1 star"), "{shown:?}");
        assert!(shown[1].starts_with("Deleted “\u{2068}Heat 2\u{2069}”"), "{shown:?}");
        assert!(shown[1].contains("VHS, 59 min, 1996, 1 star"), "{shown:?}");
        assert!(shown[2].starts_with("Changed “\u{2068}Heat 2\u{2069}” by editor, 23 Nov 2026, 20:16 UTC"), "{shown:?}");
        for difference in [
            "Title Heat → became Heat 2", "Format DVD → became VHS", "Length 2 h 50 → became 59 min",
            "Year 1995 → became 1996", "Rating 5 stars → became 1 star",
        ] {
            assert!(shown[2].contains(difference), "{difference}: {shown:?}");
        }
        assert!(shown[3].starts_with("Added “\u{2068}Heat\u{2069}” by owner"), "{shown:?}");
        assert!(shown[3].contains("DVD, 2 h 50, 1995, 5 stars") && shown.len() == 4, "{shown:?}");
        assert!(page.text.contains("<time datetime=\"2026-11-23T20:15:00.123Z\">23 Nov 2026, 20:15 UTC</time>"), "{page:?}");
    }
}

on_both! {
    async fn what_stayed_as_it_was_is_not_told(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        service.patch("/movie/1", &json!({"rating": 4, "title": "Heat"})).await;
        let shown = entries(&get_page(service, "/changes").await);
        assert!(shown[0].contains("Rating 5 stars → became 4 stars"), "{shown:?}");
        for never in ["Title", "Format", "Length", "Year"] {
            assert!(!shown[0].contains(never), "{shown:?}");
        }
    }
}

on_both! {
    async fn of_a_change_of_many_films_the_first_ten_stand_in_the_list_and_all_on_its_own_page(service: &Service) {
        for (count, more) in [(10, None), (11, Some("and 1 more")), (1110, Some("and 1,100 more"))] {
            films::fill(service, &films::films(count)).await;
            let page = get_page(service, "/changes?limit=1").await;
            assert_eq!(page.text.matches("class=\"added\"").count(), 10);
            assert_eq!(page.text.contains("and 1"), more.is_some());
            let Some(more) = more else { continue };
            let mut place = Some(link(&page, more));
            let mut titles = Vec::new();
            while let Some(path) = place {
                let page = get_page(service, &path).await;
                titles.extend(between(&page.text, "<a class=\"of-film\"", "</bdi>").into_iter().map(|of| {
                    text(of.rsplit_once('>').unwrap().1)
                }));
                assert!(!page.text.contains(" more</a>"), "{page:?}");
                assert_eq!(page.text.contains(">First page</a>"), path.contains("cursor="), "{path}");
                place = page.text.contains("rel=\"next\"").then(|| link(&page, "Further films"));
            }
            let of_api: Vec<String> = films::films(count).iter().map(|film| film["title"].as_str().unwrap().to_owned()).collect();
            assert_eq!(titles, of_api);
        }
        for nothing in ["/changes/99", "/changes/x", "/changes/0"] {
            let answer = Answer::of(service.request(Method::GET, nothing).header("accept", "text/html")).await;
            is_page(&answer, 404);
        }
    }
}

on_both! {
    async fn pages_make_the_whole(service: &Service) {
        for n in 0..23 {
            service.add(&format!("Film {n}"), "DVD", 90, 2000, 3).await;
        }
        for rating in [1, 2, 4, 5] {
            service.patch("/movie/7", &json!({"rating": rating})).await;
        }
        for (path, of_api) in [("/changes?limit=5", "/history?limit=1000"), ("/changes?film=7&limit=2", "/movie/7/history")] {
            let mut seen: Vec<i64> = Vec::new();
            let mut place = Some(path.to_owned());
            while let Some(path) = place {
                let page = get_page(service, &path).await;
                seen.extend(between(&page.text, "id=\"change-", "\"").iter().map(|id| id.parse::<i64>().unwrap()));
                place = page.text.contains("rel=\"next\"").then(|| link(&page, "Earlier changes"));
                if path.contains("cursor=") {
                    let first = link(&page, "First page");
                    assert!(["/changes", "/changes?film=7"].contains(&first.as_str()), "{first}");
                }
            }
            let all: Vec<i64> = service.get(of_api).await.json().as_array().unwrap().iter().map(|c| c["id"].as_i64().unwrap()).collect();
            assert_eq!(seen, all, "{path}");
        }
        for bad in ["/changes?cursor=x", "/changes?limit=0", "/changes?colour=red"] {
            let answer = Answer::of(service.request(Method::GET, bad).header("accept", "text/html")).await;
            is_page(&answer, 400);
        }
    }
}

on_both! {
    async fn a_film_has_a_history_of_its_own_also_when_it_is_deleted(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        films::fill(service, &films::films(3)).await;
        service.patch("/movie/1", &json!({"title": "The Heat"})).await;
        for deleted in [false, true] {
            if deleted {
                service.delete("/movie/1").await;
            }
            let page = get_page(service, "/changes?film=1").await;
            assert!(page.text.contains("<h1>History of “\u{2068}The Heat\u{2069}”</h1>"), "{page:?}");
            let shown = entries(&page);
            assert_eq!(shown.len(), if deleted { 3 } else { 2 }, "{shown:?}");
            assert!(shown.last().unwrap().starts_with("Added “\u{2068}Heat\u{2069}”"), "{shown:?}");
            assert_eq!(link(&page, "All changes"), "/changes");
        }
        for nothing in ["/changes?film=99", "/changes?film=x"] {
            let answer = Answer::of(service.request(Method::GET, nothing).header("accept", "text/html")).await;
            is_page(&answer, 404);
        }
    }
}

on_both! {
    async fn a_change_is_taken_back_and_says_by_which(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        service.patch("/movie/1", &json!({"rating": 1})).await;
        let session = service.session_of("editor").await;
        let page = with_cookie(service, &session, Method::GET, "/changes?limit=50").await;
        assert!(has_undo(&page, 2) && page.text.contains("value=\"/changes?limit=50#change-2\""), "{page:?}");
        let back = "/changes?limit=50#change-2";
        let undone = send(service, &session, "/undo", &[("change", "2"), ("back", back)]).await;
        assert_eq!((undone.status, undone.header("location")), (303, back), "{undone:?}");
        assert_eq!(service.get("/movie/1").await.json()["rating"], 5);
        let page = get_page(service, "/changes").await;
        let shown = entries(&page);
        assert!(shown[0].starts_with("“\u{2068}Heat\u{2069}” is as it was by editor") && shown[0].contains("undoing change 2"), "{shown:?}");
        assert!(shown[1].contains("undone by change 3"), "{shown:?}");
        assert_eq!((link(&page, "change 2"), link(&page, "change 3")), ("/changes/2".into(), "/changes/3".into()));
        assert!(has_undo(&page, 3) && !has_undo(&page, 2), "{page:?}");
    }
}

on_both! {
    async fn the_undo_of_a_large_change_says_how_many_films_and_asks(service: &Service) {
        let session = service.session_of("editor").await;
        let undo = async |change, more: &[_]| {
            let fields = [&[("change", change), ("back", "/film/1")], more].concat();
            send(service, &session, "/undo", &fields).await
        };
        films::fill(service, &films::films(MAX_UNCONFIRMED_FILMS.into())).await;
        let page = get_page(service, "/changes").await;
        assert!(page.text.contains(">Undo all 100<"), "{page:?}");
        assert_eq!(undo("1", &[]).await.status, 303);
        films::fill(service, &films::films(i64::from(MAX_UNCONFIRMED_FILMS) + 1)).await;
        let page = get_page(service, "/changes").await;
        assert!(page.text.contains(">Undo all 101<"), "{page:?}");
        let asked = undo("3", &[]).await;
        assert_eq!(asked.status, 200, "{asked:?}");
        assert!(asked.text.contains("Undo “Imported 101 films”?") && asked.text.contains(">Undo all 101</button>"), "{asked:?}");
        assert!(asked.text.contains("href=\"/film/1\""), "{asked:?}");
        assert_eq!(service.titles("/movie").await.len(), 101);
        assert_eq!(undo("3", &[("confirmed", "yes")]).await.status, 303);
        assert_eq!(service.titles("/movie").await.len(), 0);
        assert_eq!(undo("99", &[]).await.status, 404);
    }
}

on_both! {
    async fn what_stands_in_the_way_is_shown_with_its_own_undo(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        service.patch("/movie/1", &json!({"rating": 1})).await;
        service.patch("/movie/1", &json!({"rating": 2})).await;
        let session = service.session_of("editor").await;
        let undo = async |change| send(service, &session, "/undo", &[("change", change), ("back", "/?q=heat#x")]).await;
        let refused = undo("1").await;
        is_page(&refused, 409);
        assert_eq!(between(&refused.text, "id=\"change-", "\""), ["3", "2"]);
        assert_eq!((link(&refused, "Back"), has_undo(&refused, 3)), ("/?q=heat".into(), true));
        assert!(refused.text.contains("value=\"/?q=heat#change-3\""), "{refused:?}");
        for change in ["3", "2", "1"] {
            assert_eq!(undo(change).await.status, 303, "{change}");
        }
        assert_eq!(service.get("/movie/1").await.status, 404);
        let again = undo("1").await;
        is_page(&again, 409);
        assert!(again.text.contains("This was already undone"), "{again:?}");
        let last = service.get("/history?limit=1").await.json()[0]["id"].to_string();
        assert_eq!(between(&again.text, "id=\"change-", "\""), [&last]);
        is_page(&undo("99").await, 404);
        is_page(&undo("x").await, 404);
        let elsewhere = send(service, &session, "/undo", &[("change", &last), ("back", "//evil.example")]).await;
        assert_eq!((elsewhere.status, elsewhere.header("location")), (303, "/"));
    }
}

on_both! {
    async fn viewers_look_and_undo_nothing(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        let session = service.session_of("viewer").await;
        for path in ["/changes", "/changes/1", "/changes?film=1"] {
            let page = with_cookie(service, &session, Method::GET, path).await;
            is_page(&page, 200);
            assert!(!page.text.contains("action=\"/undo\""), "{page:?}");
        }
        is_page(&send(service, &session, "/undo", &[("change", "1")]).await, 403);
        assert_eq!(service.get("/movie/1").await.status, 200);
    }
}

on_both! {
    async fn no_page_of_another_site_undoes_anything(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        let session = service.session_of("owner").await;
        no_other_site_sends(service, &session, "/undo", &[("change", "1")]).await;
        assert_eq!(service.get("/movie/1").await.status, 200);
    }
}

on_both! {
    async fn no_title_breaks_out_of_the_page(service: &Service) {
        let marks = format!("Z{}", "\u{338}\u{489}".repeat(24));
        for title in HOSTILE.into_iter().chain(["\u{202b}txet desrever", marks.as_str(), "</bdi></ins></li>"]) {
            let id = service.add(title, "VHS", 90, 2001, 3).await["id"].clone();
            service.patch(&format!("/movie/{id}"), &json!({"title": format!("{}!", title.chars().take(20).collect::<String>())})).await;
            for path in ["/changes".to_owned(), format!("/changes?film={id}"), format!("/changes/{id}")] {
                let page = get_page(service, &path).await;
                for never in ["<script>", "<img", "<b>&", " style=", "</bdi></ins></li>"] {
                    assert!(!page.text.contains(never), "{path}: {never}");
                }
                assert_eq!(page.text.matches("</main>").count(), 1);
            }
        }
        let batch = json!({"operations": HOSTILE.map(|title| json!({"op": "create", "movie": movie(title, "DVD", 1, 2000, 1)}))});
        assert_eq!(service.post("/movie/batch", &batch).await.status, 200);
        assert!(!get_page(service, "/changes").await.text.contains("<script>alert"));
    }
}
