//! The first page and its frame.

use reelshelf::domain::Role;
use reqwest::Method;

use super::{between, cookie, form, is_page, text, with_cookie};
use crate::{
    on_both,
    support::{Answer, PASSWORD, Service, films},
};

async fn session(service: &Service, name: &str) -> String {
    cookie(&Answer::of(form(service, "/login", &[("name", name), ("password", PASSWORD)])).await)
}

on_both! {
    async fn who_is_not_signed_in_is_led_to_the_page_for_that(service: &Service) {
        for (path, place) in
            [("/", "/login?next=%2F"), ("/?a=1&b=%22", "/login?next=%2F%3Fa%3D1%26b%3D%2522")]
        {
            for (header, value) in [
                ("accept", "text/html"),
                ("cookie", "reelshelf_session=made-up"),
                ("cookie", "reelshelf_session="),
                ("authorization", "Bearer rsh_made-up"),
            ] {
                let answer = Answer::of(service.anonymous(Method::GET, path).header(header, value)).await;
                assert_eq!((answer.status, answer.header("location")), (303, place), "{header}: {value}");
                assert_eq!((answer.text.as_str(), answer.header("www-authenticate")), ("", ""));
            }
        }
    }
}

on_both! {
    async fn it_says_who_one_is(service: &Service) {
        service.add_user("José.O-2@example.org", Role::Editor).await;
        for (name, role) in [("viewer", "viewer"), ("José.O-2@example.org", "editor")] {
            let cookie = session(service, name).await;
            let page = with_cookie(service, &cookie, Method::GET, "/").await;
            is_page(&page, 200);
            assert!(page.text.contains(&format!("Signed in as {name}, {role}<")), "{page:?}");
            assert!(page.text.contains("<form method=\"post\" action=\"/logout\">"), "{page:?}");
        }
    }
}

on_both! {
    async fn all_that_it_leads_to_is_there(service: &Service) {
        let cookie = session(service, "viewer").await;
        let films = [films::films(0), films::films(30)];
        for (films, path) in films.iter().zip(["/", "/?limit=7&sort=title&q=a&rating=2..&releaseYear=1800..2100"]) {
            films::fill(service, films).await;
            let page = with_cookie(service, &cookie, Method::GET, path).await;
            is_page(&page, 200);
            let links = between(&page.text, "href=\"", "\"");
            assert!(links.contains(&"/docs/"), "{links:?}");
            for link in links {
                if let Some(id) = link.strip_prefix('#') {
                    assert!(page.text.contains(&format!(" id=\"{id}\"")), "{link}");
                    continue;
                }
                assert!(link.starts_with('/') && !link.starts_with("//"), "{link}");
                let answer = with_cookie(service, &cookie, Method::GET, &text(link)).await;
                assert_eq!(answer.status, 200, "{link}: {answer:?}");
            }
        }
    }
}
