//! Sign-in and sign-out in a browser.

use reelshelf::{domain::Role, http::Settings};
use reqwest::Method;
use serde_json::json;

use super::{HOSTILE, cookie, field, form, is_page, link, with_cookie};
use crate::{
    on_both,
    support::{Answer, Kind, PASSWORD, Service, TestDatabase},
};

async fn sign_in(service: &Service, name: &str) -> String {
    let answer = Answer::of(form(service, "/login", &[("name", name), ("password", PASSWORD)])).await;
    assert_eq!(answer.status, 303, "{answer:?}");
    cookie(&answer)
}

on_both! {
    async fn the_form_signs_in_and_leads_on(service: &Service) {
        let page = Answer::of(service.anonymous(Method::GET, "/login?next=/movie%3Fq%3Dheat")).await;
        is_page(&page, 200);
        assert_eq!(field(&page, "next"), "/movie?q=heat");
        let fields = [("name", "editor"), ("password", PASSWORD), ("next", "/movie?q=heat")];
        let answer = Answer::of(form(service, "/login", &fields)).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/movie?q=heat"), "{answer:?}");
        let cookie = cookie(&answer);
        assert!(!answer.header("set-cookie").contains("Secure"), "{answer:?}");
        let me = with_cookie(service, &cookie, Method::GET, "/me").await;
        assert_eq!(me.json(), json!({"name": "editor", "role": "editor"}));
        assert_eq!(with_cookie(service, &cookie, Method::GET, "/movie?q=heat").await.status, 200);
    }
}

on_both! {
    async fn json_signs_in_too(service: &Service) {
        let login = |body: serde_json::Value| service.anonymous(Method::POST, "/login").json(&body);
        let answer = Answer::of(login(json!({"name": "viewer", "password": PASSWORD}))).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json(), json!({"name": "viewer", "role": "viewer"}));
        assert_eq!(with_cookie(service, &cookie(&answer), Method::GET, "/movie").await.status, 200);

        for (name, password) in [("viewer", "something else"), ("nobody", PASSWORD), ("", "")] {
            let wrong = Answer::of(login(json!({"name": name, "password": password}))).await;
            assert_eq!(wrong.problem(401)["detail"], "the user name or the password is wrong");
            assert_eq!(wrong.header("set-cookie"), "");
        }
        assert_eq!(
            Answer::of(login(json!({"name": 7, "next": "/"}))).await.places(422),
            ["/name", "/next", "/password"]
        );
    }
}

on_both! {
    async fn one_is_led_on_within_the_site_only(service: &Service) {
        for (next, place) in [
            ("/", "/"),
            ("/movie?sort=title&limit=5", "/movie?sort=title&limit=5"),
            ("", "/"),
            ("//evil.example", "/"),
            ("///evil.example", "/"),
            ("/\\evil.example", "/"),
            ("\\\\evil.example", "/"),
            ("\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("https:evil.example", "/"),
            ("javascript:alert(1)", "/"),
            ("evil.example", "/"),
            (" //evil.example", "/"),
            ("/\t/evil.example", "/"),
            ("/\n/evil.example", "/"),
            ("/a\r\nset-cookie: a=b", "/"),
            ("/login?next=/", "/"),
            ("/setup#code=x", "/"),
            ("/logout", "/"),
            ("/loginx", "/loginx"),
        ] {
            let fields = [("name", "viewer"), ("password", PASSWORD), ("next", next)];
            let answer = Answer::of(form(service, "/login", &fields)).await;
            assert_eq!((answer.status, answer.header("location")), (303, place), "{next:?}");
            let query = form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
            let page = Answer::of(service.anonymous(Method::GET, &format!("/login?{query}"))).await;
            assert_eq!(field(&page, "next"), place, "{next:?}");
        }
    }
}

on_both! {
    async fn a_wrong_password_shows_the_page_again_with_the_name(service: &Service) {
        let names = HOSTILE.into_iter().chain(["viewer", "nobody"]);
        for name in names {
            let fields = [("name", name), ("password", "not the password"), ("next", "/movie?q=\"><script>")];
            let page = Answer::of(form(service, "/login", &fields)).await;
            is_page(&page, 401);
            assert!(
                page.text.contains("role=\"alert\">Not signed in: the user name or the password is wrong.<")
            );
            assert_eq!(field(&page, "name"), name);
            assert_eq!(field(&page, "next"), "/movie?q=\"><script>");
            for never in ["<script", "<img", "not the password"] {
                assert!(!page.text.contains(never), "{never}: {page:?}");
            }
            assert_eq!((page.header("set-cookie"), page.header("www-authenticate")), ("", ""));
        }
    }
}

on_both! {
    async fn too_many_failures_are_told_on_the_page(service: &Service) {
        let wrong = [("name", "viewer"), ("password", "not the password")];
        for _ in 0..5 {
            is_page(&Answer::of(form(service, "/login", &wrong)).await, 401);
        }
        let page = Answer::of(form(service, "/login", &[("name", "viewer"), ("password", PASSWORD)])).await;
        is_page(&page, 429);
        assert_eq!((page.header("retry-after"), page.header("set-cookie")), ("60", ""), "{page:?}");
        assert!(page.text.contains("too many failed sign-ins; try again in 60 seconds"), "{page:?}");
        service.pass_millis(60_000);
        sign_in(service, "viewer").await;
    }
}

on_both! {
    async fn a_form_of_another_site_signs_nobody_in_or_out(service: &Service) {
        let session = sign_in(service, "viewer").await;
        let fields = [("name", "viewer"), ("password", PASSWORD)];
        for (header, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
            ("origin", "null"),
        ] {
            let answer = Answer::of(form(service, "/login", &fields).header(header, value)).await;
            answer.problem(403);
            assert_eq!(answer.header("set-cookie"), "");
            let out = form(service, "/logout", &[]).header("cookie", &session).header(header, value);
            Answer::of(out).await.problem(403);
        }
        assert_eq!(with_cookie(service, &session, Method::GET, "/me").await.status, 200);
        for (header, value) in
            [("sec-fetch-site", "same-origin"), ("sec-fetch-site", "none"), ("origin", &service.base)]
        {
            let answer = Answer::of(form(service, "/login", &fields).header(header, value)).await;
            assert_eq!(answer.status, 303, "{header}: {value}");
        }
    }
}

on_both! {
    async fn who_signs_out_is_signed_out_on_the_server_too(service: &Service) {
        let (first, second) = (sign_in(service, "viewer").await, sign_in(service, "viewer").await);
        let answer = Answer::of(form(service, "/logout", &[]).header("cookie", &first)).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/login"), "{answer:?}");
        assert!(answer.header("set-cookie").starts_with("reelshelf_session=; Path=/;"), "{answer:?}");
        assert!(answer.header("set-cookie").contains("Max-Age=0"), "{answer:?}");
        assert_eq!(answer.header("clear-site-data"), "\"cache\"", "nothing is left for the back button");
        with_cookie(service, &first, Method::GET, "/me").await.problem(401);
        assert_eq!(with_cookie(service, &first, Method::GET, "/").await.status, 303);
        assert_eq!(with_cookie(service, &second, Method::GET, "/me").await.status, 200);

        let script = with_cookie(service, &second, Method::POST, "/logout").await;
        assert_eq!((script.status, script.text.as_str()), (204, ""));
        with_cookie(service, &second, Method::GET, "/me").await.problem(401);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cookie_is_secure_when_the_service_is_reached_over_https() {
    let public =
        Settings { public_url: Some("https://films.example".parse().unwrap()), ..Settings::default() };
    let proxied = Settings { trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()], ..Settings::default() };
    for kind in [Kind::Sqlite, Kind::Postgres] {
        for (settings, proto, secure) in [
            (Settings::default(), "https", false),
            (public.clone(), "http", true),
            (proxied.clone(), "https", true),
            (proxied.clone(), "http", false),
        ] {
            let service = Service::empty(TestDatabase::new(kind).await, settings).await;
            service.add_user("viewer", Role::Viewer).await;
            let request = form(&service, "/login", &[("name", "viewer"), ("password", PASSWORD)]);
            let answer = Answer::of(request.header("x-forwarded-proto", proto)).await;
            let attributes: Vec<_> = answer.header("set-cookie").split("; ").collect();
            assert_eq!(attributes.contains(&"Secure"), secure, "{proto}: {answer:?}");
        }
    }
}

on_both! {
    async fn without_a_user_the_page_tells_how_to_make_one(database: TestDatabase) {
        let service = Service::empty(database, Settings::default()).await;
        let page = Answer::of(service.anonymous(Method::GET, "/login")).await;
        is_page(&page, 200);
        assert!(page.text.contains("There is no user yet") && link(&page, "Enter the set-up code") == "/setup" && !page.text.contains("<form"), "{page:?}");
    }
}
