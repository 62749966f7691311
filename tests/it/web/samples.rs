//! Films to look around with, on an empty shelf.

use super::{cookie, form, get_page, is_page, no_other_site_sends, send, text, with_cookie};
use crate::{
    on_both,
    support::{Answer, PASSWORD, Service},
};

async fn session(service: &Service, name: &str) -> String {
    cookie(&Answer::of(form(service, "/login", &[("name", name), ("password", PASSWORD)])).await)
}

on_both! {
    async fn an_editor_puts_films_on_an_empty_shelf_and_one_undo_removes_them(service: &Service) {
        let editor = session(service, "editor").await;
        let empty = with_cookie(service, &editor, reqwest::Method::GET, "/").await;
        assert!(empty.text.contains("action=\"/samples\"") && empty.text.contains("Look around with 30 films"), "{empty:?}");

        let added = send(service, &editor, "/samples", &[]).await;
        assert_eq!((added.status, added.header("location")), (303, "/"), "{added:?}");
        let movies = service.get("/movie").await.json();
        let movies = movies.as_array().unwrap();
        assert_eq!(movies.len(), 30);
        for format in ["VHS", "DVD", "Streaming"] {
            assert!(movies.iter().filter(|movie| movie["movieFormat"] == format).count() > 3, "{format}");
        }
        assert!(movies.iter().all(|movie| movie["length"].as_i64() > Some(0)), "{movies:?}");
        let full = get_page(service, "/").await;
        assert!(!full.text.contains("/samples"), "{full:?}");

        // Pressed once more on a page that is old, it changes nothing.
        let again = send(service, &editor, "/samples", &[]).await;
        assert_eq!((again.status, service.get("/movie").await.json().as_array().unwrap().len()), (303, 30));

        let changes = service.get("/history").await.json();
        assert_eq!((changes.as_array().unwrap().len(), &changes[0]["kind"], &changes[0]["movies"]), (1, &"import".into(), &30.into()));
        let change = changes[0]["id"].to_string();
        let undone = send(service, &editor, "/undo", &[("change", &change), ("back", "/")]).await;
        assert_eq!((undone.status, service.get("/movie").await.json().as_array().unwrap().len()), (303, 0));
        let history = get_page(service, "/changes").await;
        assert!(text(&history.text).contains("Undid a change of 30 films"), "{history:?}");
    }
}

on_both! {
    async fn viewers_are_offered_none_and_get_none(service: &Service) {
        let viewer = session(service, "viewer").await;
        let empty = with_cookie(service, &viewer, reqwest::Method::GET, "/").await;
        assert!(!empty.text.contains("/samples"), "{empty:?}");
        is_page(&send(service, &viewer, "/samples", &[]).await, 403);
        let editor = session(service, "editor").await;
        no_other_site_sends(service, &editor, "/samples", &[]).await;
        assert_eq!(service.get("/movie").await.json(), serde_json::json!([]));
    }
}
