//! What one request, one form and one user can use: each limit from both sides.

use reelshelf::limits::{
    MAX_BULK_WRITES_PER_USER, MAX_CSV_COLUMNS, MAX_EVENT_STREAMS_PER_USER, MAX_FORM_FIELDS, MAX_JSON_VALUES,
    MAX_QUERY_PARAMETERS, MAX_SELECTION_FIELDS, MAX_SIGN_IN_BODY_BYTES,
};
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    on_both,
    support::{Answer, Service, movie, until},
};

const FORM: &str = "application/x-www-form-urlencoded";

/// What a stranger sends to a path.
async fn stranger(service: &Service, path: &str, media_type: &str, body: String) -> Answer {
    let request = service.anonymous(Method::POST, path).header("content-type", media_type);
    Answer::of(request.body(body)).await
}

/// As many fields of a form.
fn fields(count: usize) -> String {
    vec!["a"; count].join("&")
}

on_both! {
    async fn what_a_stranger_sends_to_sign_in_is_small(service: &Service) {
        for path in ["/login", "/setup"] {
            let at_most = stranger(service, path, FORM, fields(MAX_FORM_FIELDS)).await;
            assert!(![400, 413].contains(&at_most.status), "{at_most:?}");
            let detail = stranger(service, path, FORM, fields(MAX_FORM_FIELDS + 1)).await.problem(400);
            assert_eq!(detail["detail"], "the form has more than 100 fields", "{path}");

            let large = |size| format!("password={}", "x".repeat(size - "password=".len()));
            let at_most = stranger(service, path, FORM, large(MAX_SIGN_IN_BODY_BYTES)).await;
            assert!(![400, 413].contains(&at_most.status), "{at_most:?}");
            stranger(service, path, FORM, large(MAX_SIGN_IN_BODY_BYTES + 1)).await.problem(413);

            let json = "application/json";
            let values = |count: usize| json!({"name": vec![0; count - 2]}).to_string();
            let at_most = stranger(service, path, json, values(MAX_FORM_FIELDS)).await;
            at_most.problem(422);
            let problem = stranger(service, path, json, values(MAX_FORM_FIELDS + 1)).await.problem(400);
            assert_eq!(problem["detail"], "the body has more than 100 values", "{path}");
            let large = format!("{}{{}}", " ".repeat(MAX_SIGN_IN_BODY_BYTES - 2));
            stranger(service, path, json, large.clone()).await.problem(422);
            stranger(service, path, json, format!(" {large}")).await.problem(413);
        }
    }
}

on_both! {
    async fn a_query_has_so_many_parameters(service: &Service) {
        let query = |count| format!("/movie?{}", vec!["movieFormat=DVD"; count].join("&"));
        assert_eq!(service.get(&query(MAX_QUERY_PARAMETERS)).await.status, 200);
        let problem = service.get(&query(MAX_QUERY_PARAMETERS + 1)).await.problem(400);
        assert_eq!(problem["detail"], "the query has more than 100 parameters");
        let unknown = service.get(&format!("/movie?{}", fields(30_000))).await;
        assert!(unknown.problem(400).to_string().len() < 1000, "the answer is no longer than the rule");
    }
}

on_both! {
    async fn a_form_of_a_page_has_so_many_fields(service: &Service) {
        let send = async |path: &str, count: usize| {
            let request = service.request(Method::POST, path).header("content-type", FORM);
            Answer::of(request.body(fields(count))).await
        };
        let at_most = send("/add", MAX_FORM_FIELDS).await;
        assert_eq!(at_most.status, 422, "{at_most:?}");
        send("/add", MAX_FORM_FIELDS + 1).await.problem(400);
        let at_most = send("/selection", MAX_SELECTION_FIELDS).await;
        assert_eq!(at_most.status, 303, "nothing is selected: {at_most:?}");
        send("/selection", MAX_SELECTION_FIELDS + 1).await.problem(400);
    }
}

on_both! {
    async fn a_json_text_has_so_many_values(service: &Service) {
        let values = |count: usize| format!("[{}]", vec!["0"; count - 1].join(","));
        let send = async |count| {
            let request = service.request(Method::POST, "/movie").header("content-type", "application/json");
            Answer::of(request.body(values(count))).await
        };
        send(MAX_JSON_VALUES).await.problem(422);
        let problem = send(MAX_JSON_VALUES + 1).await.problem(400);
        assert_eq!(problem["detail"], "the body has more than 200000 values");
    }
}

on_both! {
    async fn a_user_has_so_many_event_streams(service: &Service) {
        let open = async |token: &str| {
            service.request_as(token, Method::GET, "/events").send().await.expect("an answer")
        };
        let mut streams = Vec::new();
        for _ in 0..MAX_EVENT_STREAMS_PER_USER {
            let stream = open(&service.viewer).await;
            assert_eq!(stream.status(), 200);
            streams.push(stream);
        }
        let one_more = Answer::of(service.request_as(&service.viewer, Method::GET, "/events")).await;
        let problem = one_more.problem(429);
        assert_eq!(problem["detail"], "you have 16 event streams at once already; end one of them first");
        assert!(one_more.header("retry-after").parse::<u32>().is_ok(), "{one_more:?}");
        assert_eq!(open(&service.editor).await.status(), 200, "another user has others");
        streams.pop();
        until(async || open(&service.viewer).await.status() == 200).await;
    }
}

const FILE: &str = "title,movieFormat,length,releaseYear,rating\nHeat,DVD,170,1995,5\n";

/// Begins an import whose file is still to be sent. The server has begun to read it.
async fn begin_import(service: &Service) -> TcpStream {
    let address = service.base.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let head = format!(
        "POST /movie HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\ncontent-type: text/csv\r\n\
         content-length: {}\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n",
        service.owner,
        FILE.len()
    );
    stream.write_all(head.as_bytes()).await.expect("it is sent");
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.expect("an interim answer");
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

on_both! {
    async fn a_user_has_so_many_imports_and_batches_at_once(service: &Service) {
        let mut begun = Vec::new();
        for _ in 0..MAX_BULK_WRITES_PER_USER {
            begun.push(begin_import(service).await);
        }
        let import = |request: RequestBuilder| Answer::of(request.header("content-type", "text/csv").body(FILE));
        import(service.request(Method::POST, "/movie")).await.problem(429);
        let batch = json!({"operations": [{"op": "create", "movie": movie("Alien", "VHS", 117, 1979, 4)}]});
        service.post("/movie/batch", &batch).await.problem(429);
        let page = service.request(Method::POST, "/import").header("content-type", "multipart/form-data; boundary=b");
        Answer::of(page.body("--b--\r\n")).await.problem(429);
        let others = import(service.request_as(&service.editor, Method::POST, "/movie?dryRun=true")).await;
        assert_eq!(others.status, 200, "another user has others: {others:?}");
        for mut stream in begun {
            stream.write_all(FILE.as_bytes()).await.expect("it is sent");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.expect("an answer");
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        }
        until(async || service.post("/movie/batch", &batch).await.status == 200).await;
    }
}

on_both! {
    async fn a_header_of_csv_names_so_many_columns(service: &Service) {
        let file = |columns: usize| {
            let names: Vec<String> = (0..columns - 1).map(|n| format!("column {n}")).collect();
            format!("title,{}\n", names.join(","))
        };
        let at_most = service.import("text/csv", "", file(MAX_CSV_COLUMNS)).await;
        assert_eq!(at_most.status, 200, "{at_most:?}");
        let problem = service.import("text/csv", "", file(MAX_CSV_COLUMNS + 1)).await.problem(422);
        assert_eq!(problem["detail"], "line 1 names 1001 columns, and 1000 can be read");
        let twice = service.import("text/csv", "", "title,own,own,title\n").await.problem(422);
        assert_eq!(twice["detail"], "line 1 names the column \"title\" twice");
    }
}

on_both! {
    async fn the_report_repeats_no_long_name(service: &Service) {
        let row = format!("{{\"{}\":1}}\n", "x".repeat(100_000));
        let answer = service.import("application/x-ndjson", "?onError=skip", row.repeat(20)).await;
        assert_eq!((answer.status, answer.json()["failed"].as_i64()), (200, Some(20)));
        assert!(answer.text.len() < 10_000, "{} bytes", answer.text.len());
    }
}

on_both! {
    async fn the_form_of_an_import_is_bounded(service: &Service) {
        let part = |name: &str, more: &str, value: &str| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n{value}\r\n")
        };
        let send = async |parts: String| {
            let request = service.request(Method::POST, "/import");
            let request = request.header("content-type", "multipart/form-data; boundary=b");
            Answer::of(request.body(format!("{parts}--b--\r\n"))).await
        };
        let field = part("a", "", "1");
        assert_eq!(send(field.repeat(MAX_SELECTION_FIELDS)).await.status, 422, "there is no file");
        send(field.repeat(MAX_SELECTION_FIELDS + 1)).await.problem(400);
        let file = part("file", "; filename=\"a.csv\"", "title\n");
        assert_eq!(send(file.clone()).await.status, 200);
        send(file.repeat(2)).await.problem(400);
        // Each alone is small enough, and both together are not.
        let (name, value) = ("n".repeat(1000), "v".repeat(1024 * 1024 - 1000));
        assert_eq!(send(part(&name, "", &value)).await.status, 422, "there is no file");
        send(part(&name, "", &format!("{value}v"))).await.problem(413);
        send(part(&name, "", &value) + &part("n", "", "")).await.problem(413);
    }
}

on_both! {
    async fn a_request_names_one_host(service: &Service) {
        let address = service.base.trim_start_matches("http://");
        let ask = async |version: &str, hosts: &str| {
            let mut stream = TcpStream::connect(address).await.expect("it listens");
            let request = format!("GET /health/live HTTP/{version}\r\n{hosts}connection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.expect("it is sent");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.expect("an answer");
            answer
        };
        for hosts in ["", "host: a\r\nhost: a\r\n", "host: a b\r\n", "host: http://a/b\r\n"] {
            let answer = ask("1.1", hosts).await;
            assert!(answer.starts_with("HTTP/1.1 400 "), "{hosts:?}: {answer}");
            for part in ["content-type: application/problem+json\r\n", "x-request-id: ", "nosniff", "one Host header"] {
                assert!(answer.contains(part), "{part}: {answer}");
            }
        }
        for hosts in ["host: films.example\r\n", "host: [::1]:8080\r\n", "host: \r\n"] {
            let answer = ask("1.1", hosts).await;
            assert!(answer.starts_with("HTTP/1.1 200 "), "{hosts:?}: {answer}");
        }
        let old = ask("1.0", "").await;
        assert!(old.starts_with("HTTP/1.0 200 "), "{old}");
    }
}

on_both! {
    async fn an_address_that_is_no_utf_8_is_told_so(service: &Service) {
        let problem = service.get("/movie/%ff").await.problem(400);
        assert_eq!(problem["detail"], "the address is no UTF-8 when its percent signs are decoded");
    }
}
