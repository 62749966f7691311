//! The first page.

use reelshelf::domain::Role;
use reqwest::Method;

use super::{cookie, form, is_page, with_cookie};
use crate::{
    on_both,
    support::{Answer, PASSWORD, Service},
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
    async fn it_says_how_many_films_there_are_and_who_one_is(service: &Service) {
        service.add_user("José.O-2@example.org", Role::Editor).await;
        for (name, role) in [("viewer", "viewer"), ("José.O-2@example.org", "editor")] {
            let cookie = session(service, name).await;
            let page = with_cookie(service, &cookie, Method::GET, "/").await;
            is_page(&page, 200);
            assert!(page.text.contains(&format!("signed in as {name} ({role})")), "{page:?}");
        }
        let cookie = session(service, "viewer").await;
        for films in ["are 0 films", "is 1 film ", "are 2 films"] {
            let page = with_cookie(service, &cookie, Method::GET, "/").await;
            assert!(page.text.contains(&format!("There {films}")), "{films}: {page:?}");
            service.add("Heat", "DVD", 170, 1995, 5).await;
        }
    }
}

on_both! {
    async fn all_that_it_leads_to_is_there(service: &Service) {
        let cookie = session(service, "viewer").await;
        let page = with_cookie(service, &cookie, Method::GET, "/").await.text;
        let links: Vec<_> = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(links.contains(&"/assets/style.css") && links.contains(&"/docs/"), "{links:?}");
        for link in links {
            assert!(link.starts_with('/') && !link.starts_with("//"), "{link}");
            let answer = with_cookie(service, &cookie, Method::GET, &link.replace("&amp;", "&")).await;
            assert_eq!(answer.status, 200, "{link}: {answer:?}");
        }
    }
}

on_both! {
    async fn style_and_icon_are_there_for_everybody(service: &Service) {
        for (path, media_type) in [("/assets/style.css", "text/css"), ("/assets/icon.svg", "image/svg+xml")] {
            let answer = Answer::of(service.anonymous(Method::GET, path)).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            assert!(answer.header("content-type").starts_with(media_type), "{answer:?}");
            assert!(!answer.text.is_empty());
        }
    }
}
