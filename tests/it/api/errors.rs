//! Bad input of every kind: refused, with the place named, and nothing stored.

use reqwest::{Method, header::HeaderValue};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    on_both,
    support::{Answer, Service, movie},
};

async fn send(service: &Service, method: Method, media_type: &str, body: impl Into<Vec<u8>>) -> Answer {
    let path = if method == Method::PATCH { "/movie/1" } else { "/movie" };
    let request = service.request(method, path).header("content-type", media_type);
    Answer::of(request.body(body.into())).await
}

/// Checks that only the movie of the beginning is there, as it was.
#[track_caller]
fn unchanged(list: &Answer) {
    let movies = list.json();
    assert_eq!(movies.as_array().expect("a list").len(), 1, "{movies}");
    assert_eq!(movies[0]["version"], 1, "{movies}");
}

on_both! {
    async fn what_is_no_json_is_refused(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        let deep = "[".repeat(100_000);
        let deep_object = "{\"a\":".repeat(100_000);
        let deep_and_closed = format!("{{\"title\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        for bad in [
            "", " ", "{", "nul", "{\"title\":\"Heat\",}", "{} {}", "{'title':'Heat'}", "{title:1}", "NaN",
            "{\"rating\":01}", "{\"rating\":+1}", "{\"rating\":1e400}", "{\"rating\":.5}", "{\"rating\":0x1}",
            "{\"title\":\"\\ud800\"}", "{\"title\":\"\\udc00\\ud800\"}", "{\"title\":\"a\nb\"}", "{\"title\":\"\\x\"}",
            "{\"rating\":1}// five", "title=Heat", &deep, &deep_object, &deep_and_closed,
        ] {
            for method in [Method::POST, Method::PATCH] {
                let answer = send(service, method, "application/json", bad).await;
                assert_eq!(answer.status, 400, "{bad:.30}");
                answer.problem(400);
            }
        }
        for bad in [&b"{\"title\":\"\xff\"}"[..], b"{\"title\":\"\xc3\"}", b"{\"\xed\xa0\x80\":1}", b"\0"] {
            send(service, Method::POST, "application/json", bad).await.problem(400);
            send(service, Method::PATCH, "application/json", bad).await.problem(400);
        }
        unchanged(&service.get("/movie").await);
    }
}

on_both! {
    async fn every_violation_is_named_with_its_pointer(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        let heat = r#""title":"Heat","movieFormat":"DVD","length":170,"releaseYear":1995,"rating":5"#;
        for (part, places) in [
            ("", &["/length", "/movieFormat", "/rating", "/releaseYear", "/title"][..]),
            (r#""title":"Heat","movieFormat":"DVD","length":170"#, &["/rating", "/releaseYear"]),
        ] {
            let answer = send(service, Method::POST, "application/json", format!("{{{part}}}")).await;
            assert_eq!(answer.places(422), places, "{part}");
        }
        let and = |more: &str| format!("{heat},{more}");
        for (members, places) in [
            (and(r#""rating":5"#), &["/rating"][..]),
            (and(r#""title":"Heat","title":"Heat","length":null"#), &["/length", "/title"]),
            (and(r#""id":7"#), &["/id"]),
            (and(r#""version":1,"createdAt":"x","updatedAt":null"#), &["/createdAt", "/updatedAt", "/version"]),
            (and(r#""Title":"Heat","":1,"a/b~c":2"#), &["/", "/Title", "/a~1b~0c"]),
            (and(r#""actors":1,"actors":2"#), &["/actors"]),
            (heat.replace("170", "\"170\""), &["/length"]),
            (heat.replace("170", "170.5"), &["/length"]),
            (heat.replace("170", "99999999999999999999"), &["/length"]),
            (heat.replace("170", "-9223372036854775809"), &["/length"]),
            (heat.replace("170", "1e300"), &["/length"]),
            (heat.replace("170", "true"), &["/length"]),
            (heat.replace("170", "[170]"), &["/length"]),
            (heat.replace("1995", "null"), &["/releaseYear"]),
            (heat.replace("\"Heat\"", "null"), &["/title"]),
            (heat.replace("\"Heat\"", "7"), &["/title"]),
            (heat.replace("\"Heat\"", "{}"), &["/title"]),
            (heat.replace("\"DVD\"", "[\"DVD\"]"), &["/movieFormat"]),
            (heat.replace("\"DVD\"", "\"Dvd\"").replace(":5", ":9"), &["/movieFormat", "/rating"]),
        ] {
            for method in [Method::POST, Method::PATCH] {
                let answer = send(service, method, "application/json", format!("{{{members}}}")).await;
                assert_eq!(answer.places(422), places, "{members}");
            }
        }
        for no_object in ["[]", "7", "\"Heat\"", "null", "true"] {
            for method in [Method::POST, Method::PATCH] {
                assert_eq!(send(service, method, "application/json", no_object).await.places(422), [""], "{no_object}");
            }
        }
        unchanged(&service.get("/movie").await);
    }
}

on_both! {
    async fn a_whole_number_may_be_written_with_a_fraction_of_zero(service: &Service) {
        let body = r#"{"title":"Heat","movieFormat":"DVD","length":170.0,"releaseYear":1.995e3,"rating":5.00}"#;
        let answer = send(service, Method::POST, "application/json", body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        assert!(answer.text.contains(r#""length":170,"releaseYear":1995,"rating":5,"#), "{answer:?}");
    }
}

on_both! {
    async fn a_body_that_is_too_large_is_refused(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        let large = format!("{{\"title\":\"{}\"}}", "x".repeat(2 << 20));
        for method in [Method::POST, Method::PATCH] {
            send(service, method, "application/json", large.clone()).await.problem(413);
        }
        unchanged(&service.get("/movie").await);
    }
}

on_both! {
    async fn a_refusal_arrives_also_while_a_large_body_is_still_sent(service: &Service) {
        let file = "x".repeat(16 << 20);
        for (token, media_type, status) in
            [("rsh_unknown", "text/csv", 401), (&service.viewer, "text/csv", 403), (&service.owner, "text/plain", 415)]
        {
            let request = service.request_as(token, Method::POST, "/movie").header("content-type", media_type);
            Answer::of(request.body(file.clone())).await.problem(status);
        }
    }
}

on_both! {
    async fn another_media_type_is_refused_with_those_that_are_taken(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        let body = movie("Alien", "DVD", 117, 1979, 5).to_string();
        for media_type in ["text/plain", "application/x-www-form-urlencoded", "application/xml", "json", "", "application/jsonx"] {
            for (method, header) in [(Method::POST, "accept-post"), (Method::PATCH, "accept-patch")] {
                let answer = send(service, method, media_type, body.clone()).await;
                answer.problem(415);
                assert!(answer.header(header).contains("application/json"), "{media_type}: {answer:?}");
            }
        }
        for (method, header) in [(Method::POST, "accept-post"), (Method::PATCH, "accept-patch")] {
            let path = if method == Method::PATCH { "/movie/1" } else { "/movie" };
            let untyped = Answer::of(service.request(method, path).body(body.clone())).await;
            untyped.problem(415);
            assert!(!untyped.header(header).is_empty());
        }
        send(service, Method::PATCH, "text/csv", "rating\n1\n").await.problem(415);
        send(service, Method::POST, "application/merge-patch+json", body).await.problem(415);
        unchanged(&service.get("/movie").await);
    }
}

on_both! {
    async fn what_is_no_id_is_the_address_of_nothing(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        for id in [
            "0", "-1", "+1", "2", "9223372036854775807", "9223372036854775808", "99999999999999999999999", "1.0", "1e0",
            "0x1", "x", "1x", "%201", "1%00", "%F0%9F%8E%AC", "1;DROP%20TABLE%20movies", "NaN", "%D9%A1",
        ] {
            let path = format!("/movie/{id}");
            service.get(&path).await.problem(404);
            service.patch(&path, &json!({"rating": 1})).await.problem(404);
            service.delete(&path).await.problem(404);
        }
        let no_text = service.get("/movie/%FF").await;
        assert!(matches!(no_text.status, 400 | 404), "{no_text:?}");
        no_text.problem(no_text.status);
        unchanged(&service.get("/movie").await);
    }
}

on_both! {
    async fn an_address_or_a_method_that_is_not_there_is_a_problem_too(service: &Service) {
        for path in ["/nothing", "/movie/1/nothing", "/movie/", "//movie", "/Movie"] {
            service.get(path).await.problem(404);
        }
        for (method, path, allowed) in [
            (Method::PUT, "/movie/1", &["DELETE", "GET", "HEAD", "PATCH"][..]),
            (Method::PATCH, "/movie", &["GET", "HEAD", "POST"]),
            (Method::DELETE, "/movie", &["GET", "HEAD", "POST"]),
            (Method::POST, "/stats", &["GET", "HEAD"]),
        ] {
            let answer = Answer::of(service.request(method, path)).await;
            answer.problem(405);
            let mut allow: Vec<&str> = answer.header("allow").split(',').map(str::trim).collect();
            allow.sort_unstable();
            assert_eq!(allow, allowed, "{path}");
        }
    }
}

on_both! {
    async fn a_bad_query_is_refused_and_names_the_parameter(service: &Service) {
        for (query, names) in [
            ("foo=1", &["foo"][..]),
            ("Q=heat", &["Q"]),
            ("foo=1&bar&foo=2", &["bar", "foo"]),
            ("q=a&q=b", &["q"]),
            ("movieFormat=Blu-ray", &["movieFormat"]),
            ("movieFormat=DVD&movieFormat=dvd", &["movieFormat"]),
            ("movieFormat=", &["movieFormat"]),
            ("rating=0", &["rating"]),
            ("rating=6", &["rating"]),
            ("rating=..", &["rating"]),
            ("rating=4..2", &["rating"]),
            ("rating=1..6", &["rating"]),
            ("rating=1&rating=2", &["rating"]),
            ("rating=", &["rating"]),
            ("length=-1", &["length"]),
            ("length=501", &["length"]),
            ("length=90.0", &["length"]),
            ("length=%D9%A1", &["length"]),
            ("length=99999999999999999999", &["length"]),
            ("releaseYear=1799..", &["releaseYear"]),
            ("releaseYear=..2101", &["releaseYear"]),
            ("releaseYear=1990-1999", &["releaseYear"]),
            ("releaseYear=1990..1995..1999", &["releaseYear"]),
            ("rating=9&length=x&foo=1", &["foo", "length", "rating"]),
        ] {
            for path in ["/movie", "/stats", "/movie/random"] {
                let answer = service.get(&format!("{path}?{query}")).await;
                assert_eq!(answer.places(400), names, "{path}?{query}");
            }
        }
        for (query, names) in [
            ("limit=0", &["limit"][..]),
            ("limit=1001", &["limit"]),
            ("limit=-1", &["limit"]),
            ("limit=ten", &["limit"]),
            ("limit=1&limit=1", &["limit"]),
            ("sort=", &["sort"]),
            ("sort=name", &["sort"]),
            ("sort=title,", &["sort"]),
            ("sort=title,-title", &["sort"]),
            ("sort=title_sort", &["sort"]),
            ("sort=title;", &["sort"]),
            ("sort=id%20DESC", &["sort"]),
            ("sort=title&sort=id", &["sort"]),
            ("total=yes", &["total"]),
            ("total=true&total=true", &["total"]),
            ("limit=0&sort=x&cursor=y&total=1&q=a&q=b", &["cursor", "limit", "q", "sort", "total"]),
        ] {
            assert_eq!(service.get(&format!("/movie?{query}")).await.places(400), names, "{query}");
        }
        let long = service.get(&format!("/movie?q={}", "x".repeat(201))).await;
        assert_eq!(long.places(400), ["q"]);
        for (method, path) in [(Method::GET, "/movie/1?foo=1"), (Method::DELETE, "/movie/1?foo=1")] {
            assert_eq!(Answer::of(service.request(method, path)).await.places(400), ["foo"]);
        }
        let rating = json!({"rating": 1});
        assert_eq!(service.patch("/movie/1?dryRun=true", &rating).await.places(400), ["dryRun"]);
        let heat = movie("Heat", "DVD", 170, 1995, 5);
        assert_eq!(service.post("/movie?dryRun=true", &heat).await.places(400), ["dryRun"]);
    }
}

on_both! {
    async fn a_cursor_that_is_not_ours_is_refused(service: &Service) {
        for title in ["Alien", "Heat", "Zodiac"] {
            service.add(title, "DVD", 100, 2000, 3).await;
        }
        let page = service.get("/movie?limit=1&sort=title,-rating").await;
        let ours = crate::api::list::next(&page).expect("a next page");
        let (_, cursor) = ours.split_once("cursor=").expect("a cursor");
        assert_eq!(service.get(&ours).await.status, 200);
        let encoded = |text: &str| base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, text);
        for foreign in [
            String::new(),
            "x".to_owned(),
            "%00".to_owned(),
            "*".to_owned(),
            "2".to_owned(),
            format!("{cursor}A"),
            cursor[1..].to_owned(),
            cursor[..cursor.len() - 4].to_owned(),
            encoded("not ours"),
            encoded("[]"),
            encoded("null"),
            encoded(r#"["title,-rating,id",[]]"#),
            encoded(r#"["title,-rating,id",["a",3]]"#),
            encoded(r#"["title,-rating,id",["a",3,1,1]]"#),
            encoded(r#"["title,-rating,id",[3,3,1]]"#),
            encoded(r#"["title,-rating,id",["a","3",1]]"#),
            encoded(r#"["title,-rating,id",["a",3.5,1]]"#),
            encoded(r#"["title,-rating,id",["a",3,99999999999999999999]]"#),
            encoded(r#"["title,-rating,id",["a\u0000",3,1]]"#),
            encoded(r#"["title,rating,id",["a",3,1]]"#),
        ] {
            let path = format!("/movie?limit=1&sort=title,-rating&cursor={foreign}");
            assert_eq!(service.get(&path).await.places(400), ["cursor"], "{foreign}");
        }
        let other_sort = service.get(&format!("/movie?limit=1&sort=title&cursor={cursor}")).await;
        assert_eq!(other_sort.places(400), ["cursor"]);
        // Made up, but of the right form: the place need not be that of any movie.
        for made_up in [
            r#"["title,-rating,id",["zz",99,9223372036854775807]]"#,
            r#"["title,-rating,id",["' OR 1=1 --",-9223372036854775808,0]]"#,
            r#"["title,-rating,id",["",3,-1]]"#,
        ] {
            let path = format!("/movie?limit=1&sort=title,-rating&cursor={}", encoded(made_up));
            assert_eq!(service.get(&path).await.status, 200, "{made_up}");
        }
    }
}

on_both! {
    async fn a_request_that_is_hardly_one_is_no_fault_of_the_server(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        for (name, value) in [
            ("if-match", &b"\xff\xfe"[..]), ("accept", b"\xff"), ("content-type", b"\xff"), ("accept", b";;;,/,q=,*/*;q=x"),
            ("if-none-match", b"\xff"), ("accept-encoding", b"\xff, gzip;q=x"),
        ] {
            for method in [Method::GET, Method::PATCH, Method::POST] {
                let path = if method == Method::POST { "/movie" } else { "/movie/1" };
                let value = HeaderValue::from_bytes(value).expect("a header");
                let answer = Answer::of(service.request(method, path).header(name, value)).await;
                assert!(answer.status < 500, "{name}: {answer:?}");
            }
        }
        unchanged(&service.get("/movie").await);
    }
}

on_both! {
    async fn an_upload_that_breaks_off_stores_nothing(service: &Service) {
        let address = service.base.strip_prefix("http://").expect("an address");
        for media_type in ["text/csv", "application/x-ndjson", "application/json"] {
            let mut stream = tokio::net::TcpStream::connect(address).await.expect("it listens");
            let row = movie("Heat", "DVD", 170, 1995, 5);
            let body = if media_type == "text/csv" {
                "title,movieFormat,length,releaseYear,rating\nHeat,DVD,170,1995,5\n".to_owned()
            } else {
                format!("{row}\n")
            };
            let head = format!(
                "POST /movie HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\ncontent-type: {media_type}\r\n\
                 content-length: 100000\r\n\r\n",
                service.owner
            );
            stream.write_all(format!("{head}{body}").as_bytes()).await.expect("it is sent");
            stream.shutdown().await.expect("the sending side closes");
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await; // an answer, or none: the request is over
            assert!(!String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 2"), "{media_type}");
        }
        assert_eq!(service.get("/movie").await.text, "[]\n");
    }
}

on_both! {
    async fn no_error_tells_anything_of_the_inside(service: &Service) {
        service.database.execute("ALTER TABLE changes RENAME TO hidden").await.unwrap();
        for path in ["/movie", "/movie?limit=1", "/movie/1", "/stats", "/movie/random"] {
            let answer = service.get(path).await;
            answer.problem(500);
            for inside in ["changes", "SQL", "sql", "src/", ".rs", "relation", "table"] {
                assert!(!answer.text.contains(inside), "{answer:?}");
            }
        }
        service.post("/movie", &movie("Heat", "DVD", 170, 1995, 5)).await.problem(500);
        service.database.execute("ALTER TABLE hidden RENAME TO changes").await.unwrap();
        assert_eq!(service.get("/movie").await.text, "[]\n");
    }
}
