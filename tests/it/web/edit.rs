//! The form of a film: add, edit, delete.

use reqwest::Method;
use serde_json::{Value, json};

use super::{HOSTILE, between, field, is_page, link, text};
use crate::{
    on_both,
    support::{Answer, Service},
};

/// Requests a page as an editor.
async fn get(service: &Service, session: &str, path: &str) -> Answer {
    Answer::of(service.request_in(session, Method::GET, path).header("accept", "text/html")).await
}

/// Submits a form as an editor.
async fn send(service: &Service, session: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = service.request_in(session, Method::POST, path).header("accept", "text/html");
    Answer::of(request.header("content-type", "application/x-www-form-urlencoded").body(body)).await
}

const HEAT: [(&str, &str); 5] =
    [("title", "Heat"), ("movieFormat", "DVD"), ("length", "2h50"), ("releaseYear", "1995"), ("rating", "5")];

/// Replaces and adds fields.
fn with<'a>(fields: &[(&'a str, &'a str)], others: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = fields.iter().filter(|(name, _)| others.iter().all(|(other, _)| other != name));
    kept.chain(others).copied().collect()
}

/// Checks that the form redirects, and returns the target.
#[track_caller]
fn led(answer: &Answer) -> &str {
    assert_eq!(answer.status, 303, "{answer:?}");
    answer.header("location")
}

/// Returns the error messages.
#[track_caller]
fn trouble(page: &Answer) -> String {
    text(between(&page.text, "<div class=\"trouble\"", "</div>")[0])
}

fn attributes(movie: &Value) -> Value {
    json!([movie["title"], movie["movieFormat"], movie["length"], movie["releaseYear"], movie["rating"]])
}

/// Returns the selected radio button of a name.
fn chosen(page: &Answer, name: &str) -> Vec<String> {
    let buttons = between(&page.text, &format!("type=\"radio\" name=\"{name}\" value=\""), ">").into_iter();
    buttons
        .filter(|button| button.contains(" checked"))
        .map(|b| b.split_once('"').unwrap().0.to_owned())
        .collect()
}

on_both! {
    async fn a_film_is_added_as_it_is_typed(service: &Service) {
        let session = service.session_of("editor").await;
        is_page(&get(service, &session, "/add").await, 200);
        let added = send(service, &session, "/add", &with(&HEAT, &[("save", ""), ("title", " Ame\u{301}lie ")])).await;
        assert_eq!(led(&added), "/#added");
        let movie = service.get("/movie/1").await.json();
        assert_eq!(attributes(&movie), json!(["Amélie", "DVD", 170, 1995, 5]));
        let cookie = added.header("set-cookie").split(';').next().unwrap().to_owned();
        let answer_page = get(service, &format!("{session}; {cookie}"), "/").await;
        let message = between(&answer_page.text, "id=\"messages\"", "</div>")[0];
        assert!(message.contains("Added <a href=\"/film/1\">“") && message.contains(">Undo</button>"), "{message}");
    }
}

on_both! {
    async fn a_form_that_is_no_utf_8_is_refused(service: &Service) {
        let session = service.session_of("editor").await;
        let with_title = |title: &[u8]| {
            let rest = "&movieFormat=DVD&length=0&releaseYear=1995&rating=5&save=";
            let body = [b"title=", title, rest.as_bytes()].concat();
            let request = service.request_in(&session, Method::POST, "/add");
            Answer::of(request.header("content-type", "application/x-www-form-urlencoded").body(body))
        };
        for title in [&b"caf%E9"[..], b"caf\xe9", b"%ff", b"%ED%A0%80"] {
            assert_eq!(with_title(title).await.status, 400, "{}", title.escape_ascii());
        }
        assert_eq!(with_title(b"100%").await.status, 303);
        assert_eq!(with_title("caf%C3%A9+ü".as_bytes()).await.status, 303);
        assert_eq!(service.titles("/movie?sort=id").await, ["100%", "café ü"]);
    }
}

on_both! {
    async fn each_field_has_its_boundaries(service: &Service) {
        let session = service.session_of("editor").await;
        let (fifty, more, longer) = ("ü".repeat(50), "ü".repeat(51), "ü".repeat(60));
        let mut stored = 0;
        for (name, value, rule) in [
            ("title", "", "Write the title."),
            ("title", "\u{2003}", "Write the title."),
            ("title", "x", ""),
            ("title", &fifty, ""),
            ("title", &more, "Too long by 1 character."),
            ("title", &longer, "Too long by 10 characters."),
            ("title", "a\u{7}b", "The title has a character that cannot be shown."),
            ("movieFormat", "", "Choose the format."),
            ("movieFormat", "VHS", ""),
            ("movieFormat", "Streaming", ""),
            ("movieFormat", "vhs", "Choose the format."),
            ("length", "", "Write the length; 0 if you do not know it."),
            ("length", "-1", "Write 170, 2:50 or 2h50."),
            ("length", "0", ""),
            ("length", "8:20", ""),
            ("length", "8h21", "Write at most 500 minutes, which are 8 h 20."),
            ("length", "long", "Write 170, 2:50 or 2h50."),
            ("releaseYear", " ", "Write a year from 1800 to 2100."),
            ("releaseYear", "1799", "Write a year from 1800 to 2100."),
            ("releaseYear", "1800", ""),
            ("releaseYear", " 2100 ", ""),
            ("releaseYear", "2101", "Write a year from 1800 to 2100."),
            ("releaseYear", "1995.5", "Write a year from 1800 to 2100."),
            ("rating", "", "Choose 1 to 5 stars."),
            ("rating", "0", "Choose 1 to 5 stars."),
            ("rating", "1", ""),
            ("rating", "6", "Choose 1 to 5 stars."),
        ] {
            let title = format!("Film {stored}");
            let fields = with(&with(&HEAT, &[("title", &title)]), &[(name, value)]);
            let answer = send(service, &session, "/add", &fields).await;
            if rule.is_empty() {
                led(&answer);
                stored += 1;
                continue;
            }
            is_page(&answer, 422);
            let said: Vec<String> = between(&answer.text, "<p class=\"error\"", "</p>").into_iter().map(text).collect();
            let expected = [" role=\"alert\">Not saved yet.".to_owned(), format!(" id=\"{name}-wrong\">{rule}")];
            assert_eq!(said, expected, "{name}: {value:?}");
            // The invalid field has the focus.
            let main = answer.text.split_once("<main").unwrap().1;
            let focused = main.split(" autofocus").next().unwrap().rsplit_once('<').unwrap().1;
            assert!(focused.contains(&format!("name=\"{name}\"")), "{focused}");
            assert_eq!(main.matches(" autofocus").count(), 1, "{answer:?}");
            let described = format!("aria-invalid=\"true\" aria-describedby=\"{name}-wrong");
            assert_eq!(answer.text.matches("aria-invalid").count(), 1);
            assert!(answer.text.contains(&described), "{answer:?}");
            for (name, value) in fields {
                match name {
                    "movieFormat" if !["VHS", "DVD", "Streaming"].contains(&value) => assert!(chosen(&answer, name).is_empty()),
                    "rating" if !["1", "2", "3", "4", "5"].contains(&value) => assert!(chosen(&answer, name).is_empty()),
                    "movieFormat" | "rating" => assert_eq!(chosen(&answer, name), [value]),
                    _ => assert_eq!(field(&answer, name), value, "{name}"),
                }
            }
        }
        assert_eq!(service.get("/movie").await.json().as_array().unwrap().len(), stored);
    }
}

on_both! {
    async fn all_violations_are_said_at_once(service: &Service) {
        let session = service.session_of("editor").await;
        let movie = service.add("Heat", "DVD", 170, 1995, 5).await;
        for (path, more) in [("/add", vec![]), ("/edit/1", vec![("version", "1")])] {
            let page = send(service, &session, path, &more).await;
            is_page(&page, 422);
            assert_eq!(between(&page.text, "-wrong\">", "</p>").len(), 5, "{page:?}");
        }
        assert_eq!(service.get("/movie").await.json(), json!([movie]));
    }
}

on_both! {
    async fn a_film_that_is_there_already_is_asked_about(service: &Service) {
        let session = service.session_of("editor").await;
        service.add("Amélie", "VHS", 122, 2001, 4).await;
        service.add("Amélie", "VHS", 122, 2002, 4).await;
        service.add("Amelie!", "VHS", 122, 2001, 4).await; // sorted alike, called otherwise
        let amelie = with(&HEAT, &[("title", "AMELIE"), ("releaseYear", "2001"), ("back", "/?rating=4..")]);
        for button in ["save", "another"] {
            let asked = send(service, &session, "/add", &with(&amelie, &[(button, "")])).await;
            is_page(&asked, 409);
            let said = trouble(&asked);
            assert!(said.contains("<a href=\"/film/1\"><bdi>Amélie</bdi></a> (2001) is on the shelf already as VHS, 2 h 02, 4 stars."), "{said}");
            assert_eq!(said.matches("is on the shelf already").count(), 1);
            assert!(said.contains(&format!("<button name=\"{button}\" value=\"1\">Add anyway")), "{said}");
            assert_eq!((field(&asked, "title"), field(&asked, "back")), ("AMELIE".into(), "/?rating=4..".into()));
            // The form asks again for a different film.
            let other = with(&amelie, &[(button, "1"), ("releaseYear", "2002")]);
            assert!(trouble(&send(service, &session, "/add", &other).await).contains("value=\"2\""));
        }
        assert_eq!(service.get("/movie").await.json().as_array().unwrap().len(), 3);
        let added = send(service, &session, "/add", &with(&amelie, &[("save", "1")])).await;
        assert_eq!(led(&added), "/?rating=4..#added");
        // Now there are two.
        let asked = send(service, &session, "/add", &with(&amelie, &[("save", "1")])).await;
        assert!(trouble(&asked).contains("value=\"1 4\""), "{asked:?}");
        led(&send(service, &session, "/add", &with(&amelie, &[("another", "1 4")])).await);
        // It does not ask about a film that had this title already, but about one that gets it.
        let rated = with(&amelie, &[("version", "1"), ("rating", "2")]);
        led(&send(service, &session, "/edit/4", &rated).await);
        let renamed = with(&rated, &[("title", "amelie")]);
        let asked = send(service, &session, "/edit/3", &renamed).await;
        assert!(trouble(&asked).contains("<button name=\"save\" value=\"1 4 5\">Save anyway"), "{asked:?}");
        led(&send(service, &session, "/edit/3", &with(&renamed, &[("save", "1 4 5")])).await);
        assert_eq!(service.get("/movie/3").await.json()["title"], "amelie");
    }
}

on_both! {
    async fn hints_say_what_the_service_knows_while_one_types(service: &Service) {
        let session = service.session_of("editor").await;
        service.add("Heat", "VHS", 170, 1995, 4).await;
        service.add("Heat", "DVD", 170, 1995, 5).await;
        service.add("Alien", "DVD", 117, 1979, 5).await;
        for (query, alike, length) in [
            ("", "", ""),
            ("title=HEAT&releaseYear=1995&length=2:50", "On the shelf already: <a href=\"/film/1\">VHS, 2 h 50</a>; <a href=\"/film/2\">DVD, 2 h 50</a>", "= 2 h 50"),
            ("title=alien&releaseYear=1979", "On the shelf already: <a href=\"/film/3\">DVD, 1 h 57</a>", ""),
            ("title=Hea&releaseYear=1995&length=501", "", ""),
            ("title=Heat&releaseYear=1996", "", ""),
            ("title=Heat&releaseYear=19", "", ""),
            ("title=Heat&releaseYear=1995&film=1", "", ""),
            ("title=Heat&releaseYear=1995&film=3", "On the shelf already: <a href=\"/film/1\">VHS, 2 h 50</a>; <a href=\"/film/2\">DVD, 2 h 50</a>", ""),
        ] {
            let hints = get(service, &session, &format!("/add/hints?{query}")).await;
            assert_eq!(hints.status, 200, "{query}: {hints:?}");
            assert_eq!(between(&hints.text, "<output id=\"alike\">", "</output>"), [alike], "{query}");
            assert_eq!(between(&hints.text, "<output id=\"length-read\">", "</output>"), [length], "{query}");
        }
    }
}

on_both! {
    async fn the_next_film_of_a_row_is_likely_of_the_same_format(service: &Service) {
        let session = service.session_of("editor").await;
        let added = send(service, &session, "/add", &with(&HEAT, &[("another", ""), ("back", "/?rating=4..")])).await;
        assert_eq!(led(&added), "/add?another=&movieFormat=DVD&back=%2F%3Frating%3D4..");
        let page = get(service, &session, led(&added)).await;
        assert_eq!(chosen(&page, "movieFormat"), ["DVD"]);
        assert!(chosen(&page, "rating").is_empty());
        assert_eq!((field(&page, "title"), field(&page, "back")), (String::new(), "/?rating=4..".into()));
        // The Enter key presses the first button.
        assert!(between(&page.text, "<button name=\"", "\"")[0] == "another", "{page:?}");
        let title = between(&page.text, "<input id=\"title\"", ">")[0];
        assert!(title.contains(" autofocus"), "{title}");
    }
}

on_both! {
    async fn one_goes_on_where_one_came_from_and_nowhere_else(service: &Service) {
        let session = service.session_of("editor").await;
        service.add("Heat", "DVD", 170, 1995, 4).await;
        let here = &service.base;
        for (referer, back) in [
            (String::new(), "/"),
            (format!("{here}/?q=heat&view=table"), "/?q=heat&view=table"),
            (format!("{here}/tonight?length=..90"), "/tonight?length=..90"),
            (format!("{here}/login?next=%2Fadd"), "/"),
            (format!("{here}/add?title=Heat"), "/"),
            (format!("{here}/edit/7"), "/"),
            (format!("{here}/film/7?q=heat"), "/film/7?q=heat"),
            (format!("{here}//evil.example"), "/"),
            ("https://evil.example".to_owned(), "/"),
            ("about:blank".to_owned(), "/"),
        ] {
            for path in ["/add", "/edit/1"] {
                let request = service.request_in(&session, Method::GET, path).header("referer", &referer);
                let page = Answer::of(request.header("accept", "text/html")).await;
                assert_eq!(field(&page, "back"), back, "{referer}");
                assert_eq!(link(&page, "Cancel"), back);
            }
        }
        let page = get(service, &session, "/edit/1?back=%2F%3Frating%3D4").await;
        assert_eq!(field(&page, "back"), "/?rating=4");
        for (back, place) in [("/?rating=4", "/?rating=4"), ("https://evil.example", "/"), ("//evil.example", "/"), ("", "/")] {
            let title = format!("To {back}");
            led(&send(service, &session, "/add", &with(&HEAT, &[("title", &title), ("back", back)])).await);
            let page = get(service, &session, &format!("/add?back={back}")).await;
            assert_eq!(field(&page, "back"), place);
            for (path, version) in [("/edit/1", "1"), ("/edit/2/delete", "1")] {
                let answer = send(service, &session, path, &with(&HEAT, &[("version", version), ("rating", "4"), ("back", back)])).await;
                assert_eq!(led(&answer), place, "{path}: {back}");
            }
        }
    }
}

on_both! {
    async fn a_film_is_changed_and_what_changes_nothing_says_so(service: &Service) {
        let session = service.session_of("editor").await;
        service.add("Heat", "VHS", 0, 1995, 5).await;
        let page = get(service, &session, "/edit/1").await;
        is_page(&page, 200);
        assert_eq!(["title", "length", "releaseYear", "version"].map(|name| field(&page, name)), ["Heat", "0", "1995", "1"]);
        assert_eq!((chosen(&page, "movieFormat"), chosen(&page, "rating")), (vec!["VHS".into()], vec!["5".into()]));
        let changed = send(service, &session, "/edit/1", &with(&HEAT, &[("version", "1")])).await;
        assert!(changed.header("set-cookie").starts_with("reelshelf_notice=2;"), "{changed:?}");
        let movie = service.get("/movie/1").await.json();
        assert_eq!((attributes(&movie), &movie["version"]), (json!(["Heat", "DVD", 170, 1995, 5]), &json!(2)));
        // Even if somebody else made the same change meanwhile.
        for version in ["2", "1", ""] {
            let same = send(service, &session, "/edit/1", &with(&HEAT, &[("version", version), ("length", "PT2H50M")])).await;
            assert_eq!(led(&same), "/");
            assert!(same.header("set-cookie").starts_with("reelshelf_notice=unchanged;"), "{same:?}");
        }
        assert_eq!(service.get("/movie/1").await.json(), movie);
    }
}

on_both! {
    async fn what_somebody_else_changed_meanwhile_is_never_overwritten_unseen(service: &Service) {
        let session = service.session_of("editor").await;
        service.add("Heat", "VHS", 100, 1990, 1).await;
        service.patch("/movie/1", &json!({"title": "HEAT", "length": 170})).await;
        service.patch("/movie/1", &json!({"releaseYear": 1995})).await;
        // The user saw the first version, and changed title and rating.
        let his = [("title", "Heat!"), ("movieFormat", "VHS"), ("length", "100"), ("releaseYear", "1990"), ("rating", "5")];
        let page = send(service, &session, "/edit/1", &with(&his, &[("version", "1")])).await;
        is_page(&page, 409);
        let said = trouble(&page);
        assert!(said.contains("changed <bdi>by owner (23 Nov 2026, 20:15 UTC)</bdi>"), "{said}");
        let marked: Vec<&str> = between(&said, "<mark>", "</mark>");
        assert_eq!(marked, ["Heat!", "2 h 50", "1995", "5 stars"]);
        assert_eq!(said.matches("both changed").count(), 1);
        for both in ["HEAT", "1 h 40", "1990", "1 star", "VHS"] {
            assert!(said.contains(both), "{both}: {said}");
        }
        let merged = ["title", "length", "releaseYear", "version"].map(|name| field(&page, name));
        assert_eq!(merged, ["Heat!", "2 h 50", "1995", "3"]);
        assert_eq!((chosen(&page, "movieFormat"), chosen(&page, "rating")), (vec!["VHS".into()], vec!["5".into()]));
        assert_eq!(service.get("/movie/1").await.json()["version"], 3);
        // Meanwhile it was changed again; then saving is allowed.
        service.patch("/movie/1", &json!({"rating": 3})).await;
        let looked_through = [("title", "Heat!"), ("movieFormat", "VHS"), ("length", "170"), ("releaseYear", "1995"), ("rating", "5")];
        let page = send(service, &session, "/edit/1", &with(&looked_through, &[("version", "3")])).await;
        assert_eq!(between(&trouble(&page), "<mark>", "</mark>"), ["Heat!", "5 stars"]);
        led(&send(service, &session, "/edit/1", &with(&looked_through, &[("version", &field(&page, "version"))])).await);
        let movie = service.get("/movie/1").await.json();
        assert_eq!((attributes(&movie), &movie["version"]), (json!(["Heat!", "VHS", 170, 1995, 5]), &json!(5)));
    }
}

on_both! {
    async fn where_the_history_does_not_say_what_was_nothing_is_taken_over_from_the_other_side(service: &Service) {
        let session = service.session_of("editor").await;
        service.add("Heat", "VHS", 100, 1990, 1).await;
        service.patch("/movie/1", &json!({"length": 170})).await;
        for version in ["", "0", "-1", "7", "x"] {
            let page = send(service, &session, "/edit/1", &with(&HEAT, &[("version", version)])).await;
            is_page(&page, 409);
            assert_eq!(between(&trouble(&page), "<mark>", "</mark>"), ["DVD", "1995", "5 stars"], "{version}");
            assert_eq!(field(&page, "version"), "2");
        }
        assert_eq!(service.get("/movie/1").await.json()["version"], 2);
    }
}

on_both! {
    async fn of_many_who_save_at_once_one_does_and_the_others_are_told(service: &Service) {
        let session = service.session_of("editor").await;
        service.add("Heat", "VHS", 100, 1990, 1).await;
        let titles: Vec<String> = (0..8).map(|n| format!("Heat {n}")).collect();
        let forms: Vec<_> = titles.iter().map(|title| with(&HEAT, &[("title", title), ("version", "1")])).collect();
        let answers = forms.iter().map(|fields| send(service, &session, "/edit/1", fields));
        let mut statuses: Vec<u16> =
            futures_util::future::join_all(answers).await.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 409, 409, 409, 409, 409, 409, 409]);
        assert_eq!(service.get("/movie/1").await.json()["version"], 2);
    }
}

on_both! {
    async fn a_film_is_deleted_unless_somebody_else_changed_it(service: &Service) {
        let session = service.session_of("editor").await;
        service.add("Heat", "VHS", 170, 1995, 4).await;
        service.patch("/movie/1", &json!({"rating": 5})).await;
        let fields = |version| [("version", version), ("back", "/?rating=4.."), ("title", "typed in vain")];
        let page = send(service, &session, "/edit/1/delete", &fields("1")).await;
        is_page(&page, 409);
        assert!(trouble(&page).contains("The film is not deleted") && trouble(&page).contains("by owner ("), "{page:?}");
        assert_eq!(["title", "version", "back"].map(|name| field(&page, name)), ["Heat", "2", "/?rating=4.."]);
        assert!(page.text.contains("action=\"/edit/1\""), "{page:?}");
        let deleted = send(service, &session, "/edit/1/delete", &fields("2")).await;
        assert_eq!(led(&deleted), "/?rating=4..");
        let change = &service.get("/history?limit=1").await.json()[0]["id"];
        assert!(deleted.header("set-cookie").starts_with(&format!("reelshelf_notice={change};")), "{deleted:?}");
        assert_eq!(service.get("/movie/1").await.status, 404);
        let again = send(service, &session, "/edit/1/delete", &fields("2")).await;
        assert_eq!(led(&again), "/?rating=4..");
        // After a deletion, its page leads to the list that it was in.
        let id = service.add("Heat", "VHS", 170, 1995, 4).await["id"].clone();
        let from = format!("/film/{id}?sort=-rating&cursor=x");
        let gone = send(service, &session, &format!("/edit/{id}/delete"), &[("version", "1"), ("back", &from)]).await;
        assert_eq!(led(&gone), "/?sort=-rating");
        assert!(again.header("set-cookie").starts_with("reelshelf_notice=deleted;"), "{again:?}");
    }
}

on_both! {
    async fn a_film_that_was_deleted_meanwhile_can_be_added_again(service: &Service) {
        let session = service.session_of("editor").await;
        service.add("Heat", "VHS", 170, 1995, 4).await;
        service.delete("/movie/1").await;
        for fields in [with(&HEAT, &[("version", "1")]), with(&HEAT, &[("version", "1"), ("length", "long")])] {
            let page = send(service, &session, "/edit/1", &fields).await;
            is_page(&page, 409);
            assert!(trouble(&page).contains("deleted <bdi>by owner ("), "{page:?}");
            assert!(page.text.contains(" action=\"/add\"") && page.text.contains(">Add it again</button>"), "{page:?}");
            assert_eq!(field(&page, "length"), fields.iter().find(|(name, _)| *name == "length").unwrap().1);
        }
        led(&send(service, &session, "/add", &with(&HEAT, &[("version", "1"), ("save", "")])).await);
        assert_eq!(attributes(&service.get("/movie/2").await.json()), json!(["Heat", "DVD", 170, 1995, 5]));
    }
}

on_both! {
    async fn the_forms_are_for_editors(service: &Service) {
        service.add("Heat", "VHS", 170, 1995, 4).await;
        let viewer = service.session_of("viewer").await;
        for path in ["/add", "/edit/1", "/edit/99"] {
            is_page(&get(service, &viewer, path).await, 403);
            let nobody = Answer::of(service.anonymous(Method::GET, path).header("accept", "text/html")).await;
            assert_eq!(led(&nobody), format!("/login?next={}", path.replace('/', "%2F")));
        }
        let editor = service.session_of("editor").await;
        for path in ["/add", "/edit/1", "/edit/1/delete"] {
            let fields = with(&HEAT, &[("version", "1")]);
            is_page(&send(service, &viewer, path, &fields).await, 403);
            let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
            for (header, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
                let request = service.request_in(&editor, Method::POST, path).header(header, value);
                let request = request.header("content-type", "application/x-www-form-urlencoded").body(body.clone());
                assert_eq!(Answer::of(request.header("accept", "text/html")).await.status, 403, "{path}: {header}");
            }
        }
        for path in ["/edit/99", "/edit/0", "/edit/x", "/edit/-1"] {
            is_page(&get(service, &editor, path).await, 404);
        }
        let movies = service.get("/movie").await.json();
        assert_eq!((movies.as_array().unwrap().len(), &movies[0]["version"]), (1, &json!(1)));
    }
}

on_both! {
    async fn no_title_breaks_out_of_the_forms(service: &Service) {
        let session = service.session_of("editor").await;
        let marks = format!("Z{}", "\u{338}\u{489}".repeat(24));
        let strange = ["\u{202b}txet desrever", "a \u{2067}b", "</bdi></h1></form>", marks.as_str()];
        for (n, title) in (1..).zip(HOSTILE.into_iter().chain(strange)) {
            let typed = with(&HEAT, &[("title", title), ("length", title), ("back", title), ("version", "9")]);
            let query = form_urlencoded::Serializer::new(String::new()).append_pair("title", title).finish();
            let added = service.add(title, "VHS", 170, 1995, 4).await;
            let film = with(&HEAT, &[("title", title), ("version", "9")]);
            for (page, status) in [
                (get(service, &session, &format!("/add?{query}")).await, 200),
                (get(service, &session, &format!("/edit/{n}")).await, 200),
                (send(service, &session, "/add", &typed).await, 422),
                (send(service, &session, "/add", &film).await, 409),
                (send(service, &session, &format!("/edit/{n}"), &film).await, 409),
                (send(service, &session, &format!("/edit/{n}"), &typed).await, 422),
                (send(service, &session, "/edit/99", &film).await, 409),
            ] {
                is_page(&page, status);
                assert_eq!(field(&page, "title"), added["title"].as_str().unwrap());
                for never in ["<script>", "<img", " style=", "</bdi></h1></form>"] {
                    assert!(!page.text.contains(never), "{never}: {page:?}");
                }
                assert_eq!(page.text.matches("</main>").count(), 1);
            }
            let hints = get(service, &session, &format!("/add/hints?{query}&releaseYear=1995")).await;
            assert!(hints.text.contains("On the shelf already") && !hints.text.contains("<script>") && !hints.text.contains("<img"));
        }
    }
}

on_both! {
    async fn what_was_searched_and_not_found_can_be_added(service: &Service) {
        service.add("Heat", "VHS", 170, 1995, 4).await;
        for (path, offered) in [
            ("/?q=the+%22last%22+%26+tape", Some("/add?title=the+%22last%22+%26+tape")),
            ("/?q=haet", Some("/add?title=haet")),
            ("/?rating=1", None),
            ("/?q=heat", None),
        ] {
            for (who, may) in [("editor", true), ("viewer", false)] {
                let page = get(service, &service.session_of(who).await, path).await;
                let main = page.text.split_once("<main").unwrap().1;
                let links: Vec<String> = between(main, "href=\"/add", "\"").into_iter().map(|l| format!("/add{}", text(l))).collect();
                assert_eq!(links, offered.filter(|_| may).into_iter().collect::<Vec<_>>(), "{path}: {who}");
            }
        }
    }
}
