//! The page on which owners manage sessions and tokens of other users.

use reelshelf::domain::Role;
use reqwest::Method;

use super::{between, is_page, no_other_site_sends, send, with_cookie};
use crate::{
    on_both,
    support::{Answer, PASSWORD},
};

const PAGE: &str = "/users/access?name=Zo%C3%AB";

/// Checks that the page is shown again with a message.
#[track_caller]
fn has_flash(answer: &Answer, message: &str) {
    assert_eq!((answer.status, answer.header("location")), (303, PAGE), "{answer:?}");
    assert!(answer.cookie().ends_with(message), "{answer:?}");
}

on_both! {
    async fn an_owner_ends_sessions_and_revokes_tokens_of_others(service: &Service) {
        let owner = service.session_of("owner").await;
        let token = service.add_user("Zoë", Role::Viewer).await;
        let sessions = [service.session_of("zoe").await, service.session_of("zoe").await];
        let page = with_cookie(service, &owner, Method::GET, "/users").await;
        assert!(page.text.contains(&format!("href=\"{PAGE}\"")), "{page:?}");
        let page = with_cookie(service, &owner, Method::GET, "/users/access?name=ZOE").await;
        is_page(&page, 200);
        assert_eq!(page.header("cache-control"), "no-store");
        assert!(page.text.contains("<h1>Sessions and tokens of <bdi>Zoë</bdi></h1>"), "{page:?}");
        assert_eq!(page.text.matches("action=\"/users/session/end\"").count(), 2, "{page:?}");
        assert!(page.text.contains("<strong><bdi>test</bdi></strong>, viewer"), "{page:?}");
        let ids = between(&page.text, "name=\"id\" value=\"", "\"");
        let [newest, _, of_token] = &ids[..] else { panic!("{ids:?}") };

        has_flash(&send(service, &owner, "/users/session/end", &[("name", "Zoë"), ("id", newest)]).await, "session-ended");
        assert_eq!((service.me_in(&sessions[0]).await.status, service.me_in(&sessions[1]).await.status), (200, 401));
        has_flash(&send(service, &owner, "/users/session/end-all", &[("name", "Zoë")]).await, "all-sessions-ended");
        assert_eq!(service.me_in(&sessions[0]).await.status, 401);
        assert_eq!(service.me_in(&owner).await.status, 200);
        has_flash(&send(service, &owner, "/users/token/revoke", &[("name", "Zoë"), ("id", of_token)]).await, "token-revoked");
        assert_eq!(service.me_as(&token).await.status, 401);
        let page = with_cookie(service, &owner, Method::GET, PAGE).await;
        assert!(page.text.contains("Nobody is signed in as <bdi>Zoë</bdi>."), "{page:?}");
        assert!(page.text.contains("<bdi>Zoë</bdi> has no tokens."), "{page:?}");
    }
}

on_both! {
    async fn all_tokens_go_at_once_or_with_a_new_password(service: &Service) {
        let owner = service.session_of("owner").await;
        let token = service.add_user("Zoë", Role::Viewer).await;
        has_flash(&send(service, &owner, "/users/token/revoke-all", &[("name", "Zoë")]).await, "tokens-revoked");
        assert_eq!(service.me_as(&token).await.status, 401);

        let change = [("name", "viewer"), ("role", "viewer"), ("password", "another shelf of tapes")];
        assert_eq!(send(service, &owner, "/users/change", &change).await.status, 303);
        assert_eq!(service.me_as(&service.viewer).await.status, 200);
        let change = [&change[..], &[("revokeTokens", "on")]].concat();
        assert_eq!(send(service, &owner, "/users/change", &change).await.status, 303);
        assert_eq!(service.me_as(&service.viewer).await.status, 401);
        let alone = [("name", "editor"), ("role", "editor"), ("password", ""), ("revokeTokens", "on")];
        let page = send(service, &owner, "/users/change", &alone).await;
        is_page(&page, 422);
        assert!(page.text.contains("Not done: revoking tokens must go with a new password."), "{page:?}");
        assert_eq!(service.me_as(&service.editor).await.status, 200);

        let editor = service.session_of("editor").await;
        let own = [
            ("presentPassword", PASSWORD), ("password", "another shelf of tapes"),
            ("passwordAgain", "another shelf of tapes"), ("revokeTokens", "on"),
        ];
        assert_eq!(send(service, &editor, "/account/password", &own).await.status, 303);
        assert_eq!(service.me_as(&service.editor).await.status, 401);
    }
}

on_both! {
    async fn others_neither_see_nor_end_them(service: &Service) {
        let (session, editor) = (service.session_of("viewer").await, service.session_of("editor").await);
        let owner = service.session_of("owner").await;
        let page = with_cookie(service, &editor, Method::GET, "/users/access?name=viewer").await;
        assert_eq!(page.status, 403, "{page:?}");
        let fields = [("name", "viewer"), ("id", "1")];
        for path in ["/users/session/end", "/users/session/end-all", "/users/token/revoke", "/users/token/revoke-all"] {
            assert_eq!(send(service, &editor, path, &fields).await.status, 403, "{path}");
            no_other_site_sends(service, &owner, path, &fields).await;
            for name in ["nobody", "", "a b"] {
                is_page(&send(service, &owner, path, &[("name", name), ("id", "1")]).await, 404);
            }
        }
        for path in ["/users/access?name=nobody", "/users/access"] {
            with_cookie(service, &owner, Method::GET, path).await.problem(404);
        }
        assert_eq!(service.me_in(&session).await.status, 200);
        assert_eq!(service.me_as(&service.viewer).await.status, 200);
    }
}
