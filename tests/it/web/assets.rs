//! Style sheets, icons and the manifest.

use reqwest::Method;
use serde_json::json;

use super::between;
use crate::{
    on_both,
    support::{Answer, Kind, Service},
};

async fn asset(service: &Service, path: &str) -> Answer {
    Answer::of(service.anonymous(Method::GET, path)).await
}

on_both! {
    async fn browsers_keep_them_until_the_program_changes(service: &Service) {
        let page = asset(service, "/login").await;
        let addresses = between(&page.text, "\"/assets/", "\"");
        assert_eq!(addresses.len(), 3, "{addresses:?}");
        for address in addresses {
            let kept = asset(service, &format!("/assets/{address}")).await;
            assert_eq!(kept.status, 200, "{address}: {kept:?}");
            assert_eq!(kept.header("cache-control"), "public, max-age=31536000, immutable", "{address}");
            // A page of the previous version requests another folder: the response must not be cached.
            let (folder, name) = address.split_once('/').unwrap();
            assert_eq!((folder.len(), folder.trim_matches(|c: char| c.is_ascii_hexdigit())), (16, ""));
            let other = asset(service, &format!("/assets/0123456789abcdef/{name}")).await;
            assert_eq!((other.status, other.header("cache-control")), (200, "no-cache"), "{other:?}");
            assert_eq!(other.text, kept.text);
        }
        for nothing in ["/assets/x/nothing.css", "/assets/x/..%2fstyle.css", "/assets/x/"] {
            let answer = asset(service, nothing).await;
            assert!([401, 404].contains(&answer.status), "{nothing}: {answer:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_with_the_program_only_is_compressed_and_known_by_a_tag() {
    let service = Service::start(Kind::Sqlite).await;
    let paths = [
        "/assets/any/style.css",
        "/assets/any/icon.svg",
        "/openapi.json",
        "/docs/",
        "/docs/swagger-ui-bundle.js",
    ];
    for path in paths {
        let mut tags = Vec::new();
        let plain = asset(&service, path).await.text;
        for coding in ["", "gzip", "br", "zstd"] {
            let ask = || service.anonymous(Method::GET, path).header("accept-encoding", coding);
            let answer = ask().send().await.unwrap();
            let header =
                |name| answer.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
            let (encoding, tag) = (header("content-encoding"), header("etag"));
            assert_eq!(
                (answer.status().as_u16(), &*encoding, &*header("vary")),
                (200, coding, "accept-encoding"),
                "{path}"
            );
            let body = answer.bytes().await.unwrap();
            match coding {
                "" => assert_eq!(body, plain),
                "zstd" => assert_eq!(zstd::decode_all(&*body).unwrap(), plain.as_bytes()),
                _ => assert!(body.len() < plain.len(), "{path} as {coding}"),
            }
            let again = Answer::of(ask().header("if-none-match", &tag)).await;
            assert_eq!(
                (again.status, again.header("etag"), again.header("vary")),
                (304, &*tag, "accept-encoding")
            );
            assert!(!tags.contains(&tag), "{path} as {coding}");
            tags.push(tag);
        }
    }
    for (path, media_type) in [
        ("/docs/", "text/html; charset=utf-8"),
        ("/docs/swagger-ui.css", "text/css; charset=utf-8"),
        ("/docs/swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
        ("/openapi.json", "application/json"),
    ] {
        assert_eq!(asset(&service, path).await.header("content-type"), media_type, "{path}");
    }
}

on_both! {
    async fn the_worker_keeps_the_page_for_when_the_service_is_away_and_nothing_else(service: &Service) {
        let worker = asset(service, "/worker.js").await;
        assert_eq!((worker.status, worker.header("content-type")), (200, "text/javascript; charset=utf-8"), "{worker:?}");
        assert_eq!(worker.header("cache-control"), "no-cache");
        let page = asset(service, "/login").await;
        let folder = between(&page.text, "\"/assets/", "/")[0];
        assert!(worker.text.starts_with(&format!("const VERSION = \"{folder}\";\n")), "it changes with every file");
        let kept = between(&worker.text, "\"/assets/offline/", "\"");
        let offline = asset(service, "/assets/offline/offline.html").await;
        assert_eq!(offline.header("content-type"), "text/html; charset=utf-8");
        // Everything that the page needs is cached with it.
        for name in between(&offline.text, "\"/assets/offline/", "\"") {
            assert!(kept.contains(&name), "{name}");
        }
        for name in kept {
            assert_eq!(asset(service, &format!("/assets/offline/{name}")).await.status, 200, "{name}");
        }
    }
}

on_both! {
    async fn the_manifest_names_icons_that_are_there(service: &Service) {
        let manifest = asset(service, "/assets/any/app.webmanifest").await;
        assert_eq!(manifest.header("content-type"), "application/manifest+json; charset=utf-8");
        let manifest = manifest.json();
        assert_eq!((&manifest["start_url"], &manifest["display"]), (&json!("/"), &json!("standalone")));
        let purposes: Vec<_> = manifest["icons"].as_array().unwrap().iter().map(|icon| &icon["purpose"]).collect();
        assert_eq!(purposes, [&json!("any"), &json!("maskable")]);
        for icon in manifest["icons"].as_array().unwrap() {
            let icon = asset(service, &format!("/assets/any/{}", icon["src"].as_str().unwrap())).await;
            assert_eq!((icon.status, icon.header("content-type")), (200, "image/svg+xml"), "{icon:?}");
            assert!(icon.text.starts_with("<svg "), "{icon:?}");
        }
    }
}

on_both! {
    async fn nothing_comes_from_elsewhere(service: &Service) {
        let style = asset(service, "/assets/any/style.css").await;
        assert!(style.header("content-type").starts_with("text/css"), "{style:?}");
        for never in ["url(", "@import", "http"] {
            assert!(!style.text.contains(never), "{never}");
        }
        // Every appearance that a page can use is defined.
        for class in (0..24).map(|n| format!(".hue-{n} ")).chain((0..6).map(|n| format!(".h{n} "))) {
            assert!(style.text.contains(&class), "{class}");
        }
    }
}

on_both! {
    async fn robots_are_answered_without_signing_in(service: &Service) {
        let robots = asset(service, "/robots.txt").await;
        assert_eq!((robots.status, robots.header("content-type")), (200, "text/plain; charset=utf-8"));
        assert_eq!(robots.text, "User-agent: *\nDisallow:\n");
    }
}
