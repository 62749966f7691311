//! A form that was submitted after the session had ended.

use reqwest::Method;

use super::{HOSTILE, between, cookie, field, form, is_page, send, text, with_cookie};
use crate::{
    on_both,
    support::{Answer, PASSWORD, Service},
};

/// Returns the hidden fields of a page.
fn hidden(page: &Answer) -> Vec<(String, String)> {
    let fields = between(&page.text, "<input type=\"hidden\" ", ">").into_iter();
    fields.map(|of| (text(between(of, "name=\"", "\"")[0]), text(between(of, "value=\"", "\"")[0]))).collect()
}

/// Submits a form with an expired session. Returns the sign-in page.
async fn sent_late(service: &Service, path: &str, fields: &[(&str, &str)]) -> Answer {
    let request = form(service, path, fields).header("cookie", "reelshelf_session=ended");
    Answer::of(request.header("sec-fetch-site", "same-origin").header("accept", "text/html")).await
}

/// Signs in on that page.
async fn sign_in(service: &Service, page: &Answer, password: &str) -> Answer {
    let (to, kept) = (field(page, "to"), field(page, "kept"));
    let whole = if page.text.contains("name=\"keptWhole\"") { "yes" } else { "" };
    let fields = [
        ("name", "editor"),
        ("password", password),
        ("next", "/"),
        ("to", &to),
        ("kept", &kept),
        ("keptWhole", whole),
    ];
    Answer::of(form(service, "/login", &fields)).await
}

on_both! {
    async fn it_is_kept_and_sent_on_after_signing_in(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        let typed = [("change", "1"), ("back", "/changes?limit=5#change-1"), ("note", "a & b = “c”\r\n+%")];
        let asked = sent_late(service, "/undo", &typed).await;
        is_page(&asked, 401);
        assert!(asked.text.contains("Your session has ended.") && asked.header("www-authenticate").is_empty(), "{asked:?}");
        let wrong = sign_in(service, &asked, "not the password").await;
        is_page(&wrong, 401);
        assert!(wrong.text.contains("role=\"alert\">Not signed in"), "{wrong:?}");
        let on = sign_in(service, &wrong, PASSWORD).await;
        is_page(&on, 200);
        assert!(on.text.contains("<form method=\"post\" action=\"/undo\" data-kept=\"whole\">") && on.text.contains("Signed in as editor"), "{on:?}");
        // The first form with fields in the page is the kept one.
        let main = Answer { text: on.text.split("<main").nth(1).unwrap().to_owned(), status: 200, headers: on.headers.clone(), secrets: Vec::new() };
        let fields = hidden(&main);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(fields, typed);
        let done = send(service, &cookie(&on), "/undo", &fields).await;
        assert_eq!((done.status, done.header("location")), (303, "/changes?limit=5#change-1"), "{done:?}");
        assert_eq!(service.get("/movie/1").await.status, 404);
    }
}

on_both! {
    async fn passwords_are_not_kept(service: &Service) {
        let fields = [
            ("name", "zoe"), ("role", "viewer"), ("password", PASSWORD), ("presentPassword", PASSWORD), ("PASSWORD2", PASSWORD),
        ];
        let asked = sent_late(service, "/users/add", &fields).await;
        assert_eq!(field(&asked, "kept"), "name=zoe&role=viewer");
        let on = sign_in(service, &asked, PASSWORD).await;
        for page in [asked, on] {
            assert!(!page.text.contains(PASSWORD) && !page.text.contains("a+shelf+full"), "{page:?}");
            assert_eq!(page.header("cache-control"), "no-store");
            assert!(!page.text.contains("data-kept=\"whole\""), "{page:?}"); // it lacks something
        }
    }
}

on_both! {
    async fn of_another_site_nothing_is_kept(service: &Service) {
        for (header, value) in [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example"), ("origin", "null")] {
            let sent = form(service, "/undo", &[("change", "1")]).header(header, value);
            let answer = Answer::of(sent).await;
            assert_eq!((answer.status, answer.header("location")), (303, "/login?next=%2F"), "{header}: {value}");
            let login = form(service, "/login", &[("name", "editor"), ("password", PASSWORD), ("to", "/undo"), ("kept", "change=1")]);
            Answer::of(login.header(header, value)).await.problem(403);
        }
    }
}

on_both! {
    async fn it_goes_on_within_the_service_only(service: &Service) {
        for to in ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "evil"] {
            let fields = [("name", "editor"), ("password", PASSWORD), ("to", to), ("kept", "a=b")];
            let on = Answer::of(form(service, "/login", &fields)).await;
            is_page(&on, 200);
            assert!(on.text.contains("<form method=\"post\" action=\"/\" data-kept=\"\">") && !on.text.contains("evil"), "{on:?}");
        }
        for hostile in HOSTILE {
            let asked = sent_late(service, "/undo", &[(hostile, hostile), ("back", hostile)]).await;
            let on = sign_in(service, &asked, PASSWORD).await;
            assert_eq!(hidden(&on).iter().filter(|(_, value)| value == hostile).count(), 2, "{on:?}");
            assert!(!on.text.contains("<script>") && !on.text.contains("<img"), "{on:?}");
        }
    }
}

on_both! {
    async fn what_is_too_large_or_no_form_is_not_kept(service: &Service) {
        let fits = "x".repeat(64 * 1024 - "note=".len());
        is_page(&sent_late(service, "/undo", &[("note", &fits)]).await, 401);
        let large = sent_late(service, "/undo", &[("note", &format!("{fits}x"))]).await;
        assert_eq!((large.status, large.header("location")), (303, "/login?next=%2F"), "{large:?}");
        let file = service.anonymous(Method::POST, "/undo").header("content-type", "multipart/form-data; boundary=x").body("--x--");
        let file = Answer::of(file).await;
        assert_eq!((file.status, file.header("location")), (303, "/login?next=%2F"), "{file:?}");
        let page = with_cookie(service, "reelshelf_session=ended", Method::GET, "/account").await;
        assert_eq!((page.status, page.header("location")), (303, "/login?next=%2Faccount"), "{page:?}");
    }
}
