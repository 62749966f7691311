//! The page on which owners manage users.

use reelshelf::domain::Role;
use reqwest::Method;
use serde_json::json;

use super::{HOSTILE, between, is_page, no_other_site_sends, send, with_cookie};
use crate::{
    on_both,
    support::{Answer, PASSWORD, Service},
};

const NEW: &str = "another shelf of tapes";

/// Returns all users with their roles.
async fn users(service: &Service) -> Vec<(String, String)> {
    let users = service.get("/user").await.json();
    let of = |user: &serde_json::Value, member: &str| user[member].as_str().unwrap().to_owned();
    users.as_array().unwrap().iter().map(|user| (of(user, "name"), of(user, "role"))).collect()
}

/// Checks that the form succeeded and shows a message.
#[track_caller]
fn is_done(answer: &Answer) {
    assert_eq!((answer.status, answer.header("location")), (303, "/users"), "{answer:?}");
    assert!(answer.cookie().starts_with("reelshelf_notice=user-"), "{answer:?}");
}

on_both! {
    async fn an_owner_adds_changes_and_removes_users(service: &Service) {
        let session = service.session_of("owner").await;
        let add = [("name", "Zoë"), ("role", "viewer"), ("password", PASSWORD)];
        is_done(&send(service, &session, "/users/add", &add).await);
        let of_zoe = service.session_of("Zoë").await;
        let page = with_cookie(service, &session, Method::GET, "/users").await;
        is_page(&page, 200);
        assert!(page.text.contains("<strong><bdi>Zoë</bdi></strong>, viewer"), "{page:?}");
        assert!(page.text.contains("<strong><bdi>owner</bdi></strong>, owner <span class=\"mark\">you</span>"), "{page:?}");

        let change = [("name", "zoe"), ("role", "editor"), ("password", "")];
        is_done(&send(service, &session, "/users/change", &change).await);
        assert_eq!(service.me_in(&of_zoe).await.status, 401, "who was changed has to sign in again");
        assert_eq!(service.log_in("Zoë", PASSWORD).await.json()["role"], "editor");
        let change = [("name", "Zoë"), ("role", "editor"), ("password", NEW)];
        is_done(&send(service, &session, "/users/change", &change).await);
        assert_eq!(service.log_in("Zoë", PASSWORD).await.status, 401);
        assert_eq!(service.log_in("Zoë", NEW).await.json()["role"], "editor");
        is_done(&send(service, &session, "/users/remove", &[("name", "Zoë")]).await);
        assert_eq!(service.log_in("Zoë", NEW).await.status, 401);
        for path in ["/users/change", "/users/remove"] {
            for name in ["Zoë", "", "a b"] {
                let page = send(service, &session, path, &[("name", name), ("role", "viewer")]).await;
                is_page(&page, 404);
            }
        }
    }
}

on_both! {
    async fn what_is_wrong_stands_beside_the_form(service: &Service) {
        let session = service.session_of("owner").await;
        let before = users(service).await;
        for (name, role, password, ids) in [
            ("", "viewer", PASSWORD, vec!["name"]),
            ("a b", "viewer", PASSWORD, vec!["name"]),
            ("zoe", "king", PASSWORD, vec!["role"]),
            ("zoe", "editor", "short", vec!["password"]),
            ("zoezoe", "editor", "zoezoezoezoe", vec!["password"]),
            ("", "", "", vec!["name", "role", "password"]),
        ] {
            let page = send(service, &session, "/users/add", &[("name", name), ("role", role), ("password", password)]).await;
            is_page(&page, 422);
            assert_eq!(between(&page.text, "aria-invalid=\"true\" aria-describedby=\"", "-error"), ids, "{name}");
            let add = page.text.split("<section aria-labelledby=\"add\">").nth(1).unwrap();
            assert!(add.contains(&format!("name=\"name\" value=\"{name}\"")), "{page:?}");
            assert_eq!(add.contains("<option selected>editor"), role == "editor", "{page:?}");
            assert!(password.is_empty() || !page.text.contains(password), "{page:?}");
        }
        let taken = send(service, &session, "/users/add", &[("name", "VIEWER"), ("role", "viewer"), ("password", PASSWORD)]).await;
        is_page(&taken, 409);
        assert!(taken.text.contains("Not done: a user VIEWER exists already; case and accents are ignored."), "{taken:?}");
        let change = [("name", "viewer"), ("role", "owner"), ("password", "short")];
        let page = send(service, &session, "/users/change", &change).await;
        is_page(&page, 422);
        let open = page.text.split("<details open>").nth(1).unwrap();
        assert!(open.contains("The new password must have at least 10 characters, got 5."), "{page:?}");
        assert!(open.starts_with("\n      <summary>Change<span class=\"visually-hidden\"> viewer"), "{open}");
        for hostile in HOSTILE {
            let add = [("name", hostile), ("role", hostile), ("password", hostile)];
            let page = send(service, &session, "/users/add", &add).await;
            is_page(&page, 422);
            assert!(!page.text.contains("<script>alert") && !page.text.contains("<img"), "{page:?}");
        }
        assert_eq!(users(service).await, before);
    }
}

on_both! {
    async fn the_last_owner_stays(service: &Service) {
        let session = service.session_of("owner").await;
        for (path, fields) in [
            ("/users/change", &[("name", "owner"), ("role", "editor")][..]),
            ("/users/remove", &[("name", "owner")]),
        ] {
            let page = send(service, &session, path, fields).await;
            is_page(&page, 409);
            let beside = page.text.split("<details open>").nth(1).unwrap();
            assert!(beside.contains("role=\"alert\">Not done: owner is the last owner, who can be neither removed nor lowered."), "{page:?}");
        }
        service.add_user("second", Role::Owner).await;
        is_done(&send(service, &session, "/users/change", &[("name", "owner"), ("role", "editor")]).await);
        let page = with_cookie(service, &service.session_of("owner").await, Method::GET, "/users").await;
        assert_eq!(page.status, 403);
    }
}

on_both! {
    async fn others_see_and_do_nothing_of_it(service: &Service) {
        let before = users(service).await;
        for name in ["viewer", "editor"] {
            let session = service.session_of(name).await;
            let request = service.request_in(&session, Method::GET, "/users").header("accept", "text/html");
            is_page(&Answer::of(request).await, 403);
            let home = with_cookie(service, &session, Method::GET, "/").await;
            assert!(home.text.contains("href=\"/account\"") && !home.text.contains("href=\"/users\""), "{home:?}");
            for (path, fields) in [
                ("/users/add", &[("name", "mallory"), ("role", "owner"), ("password", PASSWORD)][..]),
                ("/users/change", &[("name", name), ("role", "owner")]),
                ("/users/remove", &[("name", "owner")]),
            ] {
                is_page(&send(service, &session, path, fields).await, 403);
            }
        }
        assert_eq!(users(service).await, before);
        let home = with_cookie(service, &service.session_of("owner").await, Method::GET, "/").await;
        assert!(home.text.contains("href=\"/users\""), "{home:?}");
    }
}

on_both! {
    async fn nothing_of_it_is_done_for_another_site(service: &Service) {
        let session = service.session_of("owner").await;
        let before = users(service).await;
        for (path, fields) in [
            ("/users/add", &[("name", "mallory"), ("role", "owner"), ("password", PASSWORD)][..]),
            ("/users/change", &[("name", "viewer"), ("role", "owner")]),
            ("/users/remove", &[("name", "viewer")]),
        ] {
            no_other_site_sends(service, &session, path, fields).await;
        }
        assert_eq!(users(service).await, before);
        assert_eq!(service.post("/user", &json!({"name": "late", "role": "viewer", "password": PASSWORD})).await.status, 201);
    }
}
