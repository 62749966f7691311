//! Error pages for browsers.

use reqwest::Method;

use super::{HOSTILE, is_page, link, text};
use crate::{
    api::health::set_reachable,
    on_both,
    support::{Answer, Kind, Service},
};

/// The `Accept` header of a browser's navigation.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

async fn browse(service: &Service, method: Method, path: &str) -> Answer {
    Answer::of(service.request_as(&service.viewer, method, path).header("accept", BROWSER)).await
}

on_both! {
    async fn a_browser_gets_a_page_and_a_program_the_document(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        for (method, path, status, title, words) in [
            (Method::GET, "/nowhere", 404, "There is nothing here", "There is nothing at this address."),
            (Method::GET, "/movie/99", 404, "There is nothing here", "There is no film 99."),
            (Method::GET, "/movie/1", 200, "", ""),
            (Method::PUT, "/movie/1", 405, "There is no page here", "This address does not take that method"),
            (Method::GET, "/selection", 405, "There is no page here", "Only forms are sent to this address."),
            (Method::DELETE, "/movie/1", 403, "This is not allowed", "This takes the role editor; yours is viewer."),
            (Method::GET, "/movie?limit=0", 400, "This cannot be understood", "<strong><bdi>limit</bdi></strong>"),
        ] {
            let page = browse(service, method.clone(), path).await;
            let document = Answer::of(service.request_as(&service.viewer, method.clone(), path)).await;
            assert_eq!(document.status, status, "{document:?}");
            if status == 200 {
                assert_eq!(page.text, document.text);
                continue;
            }
            document.problem(status);
            is_page(&page, status);
            assert!(page.text.contains(&format!("<h1>{title}</h1>")), "{page:?}");
            assert!(page.text.contains(words), "{words}: {page:?}");
            assert_eq!(link(&page, "To the collection"), "/");
            assert!(page.header("vary").contains("accept"), "{page:?}");
            assert_eq!(page.header("allow"), document.header("allow"));
            let both = service.request_as(&service.viewer, method, path);
            Answer::of(both.header("accept", "application/json, text/html;q=0.1")).await.problem(status);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trying_again_leads_to_no_other_host() {
    let service = Service::start(Kind::Postgres).await;
    set_reachable(&service, false).await;
    for (path, again) in [
        ("/?q=heat", "/?q=heat"),
        ("//evil.example/x", "/"),
        ("//evil.example", "/"),
        ("/%2Fevil.example", "/%2Fevil.example"),
        ("///evil.example", "/"),
    ] {
        let page = browse(&service, Method::GET, path).await;
        is_page(&page, 503);
        assert_eq!(link(&page, "Try again"), again, "{path}");
        assert!(!page.text.contains("\"//"), "{path}: {page:?}");
    }
}

on_both! {
    async fn who_is_not_signed_in_is_shown_where_to(service: &Service) {
        let request = service.anonymous(Method::GET, "/movie?q=heat&limit=5").header("accept", BROWSER);
        let page = Answer::of(request).await;
        is_page(&page, 401);
        assert_eq!(link(&page, "Sign in"), "/login?next=%2Fmovie%3Fq%3Dheat%26limit%3D5");
        assert!(!page.header("www-authenticate").is_empty());
    }
}

on_both! {
    async fn who_is_signed_in_keeps_the_header(service: &Service) {
        let session = service.session_of("viewer").await;
        for (path, status) in [("/nowhere", 404), ("/changes/99", 404), ("/users", 403), ("/?rating=9", 400)] {
            let page = Answer::of(service.request_in(&session, Method::GET, path).header("accept", BROWSER)).await;
            is_page(&page, status);
            assert!(page.text.contains("Signed in as viewer, viewer<") && page.text.contains("action=\"/logout\""), "{page:?}");
            assert!(!page.text.contains("data-newest"), "{page:?}");
        }
        let page = Answer::of(service.anonymous(Method::GET, "/nowhere").header("accept", BROWSER)).await;
        is_page(&page, 401);
        assert!(!page.text.contains("Signed in as"), "{page:?}");
    }
}

on_both! {
    async fn who_tries_too_often_is_told_for_how_long_to_wait(service: &Service) {
        let wrong = || service.anonymous(Method::GET, "/me").basic_auth("viewer", Some("wrong")).header("accept", BROWSER);
        for _ in 0..5 {
            is_page(&Answer::of(wrong()).await, 401);
        }
        let page = Answer::of(wrong()).await;
        is_page(&page, 429);
        assert!(page.text.contains("<h1>Too many attempts</h1>") && page.text.contains("Please wait 60 seconds."), "{page:?}");
        assert_eq!(page.header("retry-after"), "60");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_database_is_away_a_page_says_so_and_leads_on() {
    let service = Service::start(Kind::Postgres).await;
    let session = service.session_of("viewer").await;
    set_reachable(&service, false).await;
    for path in ["/", "/changes?limit=5", "/account"] {
        let page =
            Answer::of(service.request_in(&session, Method::GET, path).header("accept", BROWSER)).await;
        is_page(&page, 503);
        assert!(
            page.text.contains("<h1>Not available at the moment</h1>")
                && page.text.contains("Please wait 5 seconds."),
            "{page:?}"
        );
        assert_eq!(link(&page, "Try again"), path);
    }
    let sent = super::send(&service, &session, "/undo", &[("change", "1")]).await;
    is_page(&sent, 503);
    assert!(!sent.text.contains("Try again"), "a form is not sent again by a link: {sent:?}");
}

on_both! {
    async fn what_fails_inside_tells_its_id_and_nothing_else(service: &Service) {
        service.database.execute("ALTER TABLE changes RENAME TO hidden").await.unwrap();
        for path in ["/", "/movie?limit=1"] {
            let page = browse(service, Method::GET, path).await;
            is_page(&page, 500);
            assert!(page.text.contains("<h1>Something went wrong</h1>"), "{page:?}");
            assert!(page.text.contains(&format!("<code>{}</code>", page.header("x-request-id"))), "{page:?}");
            assert_eq!(link(&page, "Try again"), path);
            for never in ["no such", "SELECT", "does not exist"] {
                assert!(!page.text.contains(never), "{never}: {page:?}");
            }
        }
    }
}

on_both! {
    async fn a_bad_address_is_named_and_escaped(service: &Service) {
        for (query, names) in [
            ("rating=9", vec!["rating"]),
            ("view=pile", vec!["view"]),
            ("sort=colour&limit=0&cursor=x", vec!["cursor", "limit", "sort"]),
            ("colour=red&q=a&q=b", vec!["q", "colour"]),
            ("releaseYear=then..now&length=999&movieFormat=Betamax", vec!["movieFormat", "length", "releaseYear"]),
        ] {
            let page = browse(service, Method::GET, &format!("/?{query}")).await;
            is_page(&page, 400);
            for name in names {
                assert!(page.text.contains(&format!("<strong><bdi>{name}</bdi></strong>")), "{name}: {page:?}");
            }
        }
        for hostile in HOSTILE {
            for name in ["view", hostile] {
                let query = form_urlencoded::Serializer::new(String::new()).append_pair(name, hostile).finish();
                let page = browse(service, Method::GET, &format!("/?{query}")).await;
                is_page(&page, 400);
                assert!(!page.text.contains("<script>") && !page.text.contains("<img"), "{page:?}");
                assert!(text(&page.text).contains(&hostile[..8]), "{page:?}");
            }
        }
    }
}
