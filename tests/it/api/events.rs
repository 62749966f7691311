//! Live events: each committed change once and in order, from all instances.

use std::collections::BTreeSet;

use reelshelf::{
    domain::Role,
    http::Settings,
    limits::{MAX_DATABASE_CONNECTIONS, MAX_EVENT_STREAMS_PER_USER},
    service::{
        Owner,
        history::{self, events},
    },
};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use crate::{
    on_both,
    support::{Answer, HANGS, Kind, PASSWORD, Service, TestDatabase, films, program::run},
};

/// A client of the event stream.
pub struct Stream {
    response: Response,
    bytes: Vec<u8>,
}

impl Stream {
    pub async fn open(service: &Service, after: Option<i64>) -> Self {
        Self::open_as(service, &service.viewer, after).await
    }

    async fn open_as(service: &Service, token: &str, after: Option<i64>) -> Self {
        let mut request = service.request_as(token, Method::GET, "/events");
        if let Some(id) = after {
            request = request.header("last-event-id", id);
        }
        Self::of(request).await
    }

    async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, bytes: Vec::new() }
    }

    /// Returns the next change, or `None` at the end of the stream.
    pub async fn next(&mut self) -> Option<Value> {
        timeout(HANGS, self.read()).await.expect("an event in time")
    }

    async fn read(&mut self) -> Option<Value> {
        loop {
            while let Some(end) = self.bytes.windows(2).position(|two| two == b"\n\n") {
                let event = String::from_utf8(self.bytes.drain(..end + 2).collect()).expect("text");
                if event == "event: pruned\ndata: {}\n\n" {
                    return Some(json!("pruned"));
                }
                let field = |name| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let (id, data) = (field("id: "), field("data: "));
                if let Some(data) = data {
                    let change: Value = serde_json::from_str(&data).expect("JSON");
                    assert_eq!(id, Some(change["id"].to_string()));
                    return Some(change);
                }
            }
            let chunk = self.response.chunk().await.ok()??;
            self.bytes.extend_from_slice(&chunk);
        }
    }

    async fn take(&mut self, count: usize) -> Vec<Value> {
        let mut changes = Vec::new();
        while changes.len() < count {
            changes.push(self.next().await.expect("the stream goes on"));
        }
        changes
    }
}

fn ids(changes: &[Value]) -> Vec<i64> {
    changes.iter().map(|change| change["id"].as_i64().expect("an id")).collect()
}

on_both! {
    async fn each_change_is_an_event_as_the_history_has_it(service: &Service) {
        service.add("Alien", "VHS", 117, 1979, 4).await; // before the stream
        let mut stream = Stream::open(service, None).await;
        service.add("Heat", "DVD", 170, 1995, 5).await;
        service.patch("/movie/2", &json!({"rating": 4})).await;
        service.patch("/movie/2", &json!({"rating": 4})).await; // changes nothing
        service.import("application/x-ndjson", "", films::ndjson(&films::films(30))).await;
        service.delete("/movie/1").await;
        let mut changes = stream.take(4).await;
        let mut history = service.get("/history").await.json();
        let history = history.as_array_mut().expect("a list");
        history.truncate(4);
        history.reverse();
        assert_eq!(&mut changes, history);
        let kinds: Vec<_> = changes.iter().map(|change| change["kind"].clone()).collect();
        assert_eq!(json!(kinds), json!(["create", "update", "import", "delete"]));
    }
}

on_both! {
    async fn a_stream_goes_on_after_the_last_event_without_a_gap(service: &Service) {
        for n in 0..250 {
            service.add(&format!("Film {n}"), "DVD", 90, 2000, 3).await;
        }
        let all: Vec<i64> = ids(service.get("/history?limit=1000").await.json().as_array().expect("a list"))
            .into_iter().rev().collect();
        let mut stream = Stream::open(service, Some(all[19])).await;
        assert_eq!(ids(&stream.take(230).await), all[20..]);
        service.add("One more", "DVD", 90, 2000, 3).await;
        assert_eq!(stream.take(1).await[0]["effects"][0]["after"]["title"], "One more");
        let mut of_address = Stream::of(service.request(Method::GET, "/events?lastEventId=0")).await;
        assert_eq!(ids(&of_address.take(251).await)[..250], all);
        let both = format!("/events?lastEventId={}", all[9]);
        let mut of_both = Stream::of(service.request(Method::GET, &both).header("last-event-id", all[19])).await;
        assert_eq!(ids(&of_both.take(230).await), all[20..]);
        let mut from_the_beginning = Stream::open(service, Some(0)).await;
        assert_eq!(ids(&from_the_beginning.take(251).await)[..250], all);
    }
}

on_both! {
    async fn a_stream_tells_that_changes_behind_the_last_event_were_pruned(service: &Service) {
        let prune = async || history::prune(&service.app, &Owner::console(), service.app.now()).await.expect("pruned");
        for n in 0..5 {
            service.add(&format!("Film {n}"), "DVD", 90, 2000, 3).await;
            service.pass_millis(i64::from(n == 2));
        }
        let all = ids(service.get("/history").await.json().as_array().expect("a list"));
        assert_eq!(prune().await, 3);
        for (after, expected) in [
            (Some(0), vec![json!("pruned"), json!(all[1]), json!(all[0])]),
            (Some(all[3]), vec![json!("pruned"), json!(all[1]), json!(all[0])]),
            (Some(all[1]), vec![json!(all[0])]),
        ] {
            let events = Stream::open(service, after).await.take(expected.len()).await;
            let seen: Vec<Value> = events.into_iter().map(|event| event.get("id").cloned().unwrap_or(event)).collect();
            assert_eq!(seen, expected, "{after:?}");
        }
        service.pass_millis(1);
        assert_eq!(prune().await, 2);
        let (mut from_now, mut behind) = (Stream::open(service, None).await, Stream::open(service, Some(all[0])).await);
        service.add("One more", "DVD", 90, 2000, 3).await;
        assert_eq!(from_now.next().await.expect("a change")["kind"], "create");
        assert_eq!(behind.next().await, Some(json!("pruned")));
        assert_eq!(behind.next().await.expect("a change")["kind"], "create");
    }
}

on_both! {
    async fn a_last_event_id_that_is_none_is_refused(service: &Service) {
        for bad in ["", "x", "-1", "1.0", "99999999999999999999"] {
            let request = service.request(Method::GET, "/events").header("last-event-id", bad);
            Answer::of(request).await.problem(400);
            assert_eq!(service.get(&format!("/events?lastEventId={bad}")).await.places(400), ["lastEventId"]);
        }
        service.get("/events?q=heat").await.problem(400);
        service.add("Heat", "DVD", 170, 1995, 5).await;
        for last in [i64::MAX - 1, i64::MAX] {
            let mut stream = Stream::open(service, Some(last)).await;
            service.add("Alien", "DVD", 117, 1979, 4).await;
            assert_eq!(stream.next().await.expect("a change")["kind"], "create");
        }
    }
}

on_both! {
    async fn a_stream_ends_with_the_token_and_with_the_service(service: &Service) {
        let token = service.add_user("guest", reelshelf::domain::Role::Viewer).await;
        let mut of_guest = Stream::open_as(service, &token, None).await;
        let mut of_viewer = Stream::open(service, None).await;
        assert_eq!(service.delete("/user/guest").await.status, 204);
        assert_eq!(of_guest.next().await, None);
        service.add("Heat", "DVD", 170, 1995, 5).await;
        assert_eq!(of_viewer.next().await.expect("a change")["kind"], "create");
        events::end(&service.app);
        assert_eq!(of_viewer.next().await, None);
    }
}

on_both! {
    async fn a_stream_ends_with_the_password_and_with_the_role(service: &Service) {
        let basic = |name: &str| service.anonymous(Method::GET, "/events").basic_auth(name, Some(PASSWORD));
        let mut of_password = Stream::of(basic("viewer")).await;
        let mut of_role = Stream::of(basic("editor")).await;
        let mut of_token = Stream::open_as(service, &service.editor, None).await;
        let mut of_owner = Stream::of(basic("owner")).await;
        assert_eq!(service.patch("/user/viewer", &json!({"password": "tapes under the sofa"})).await.status, 200);
        assert_eq!(service.patch("/user/editor", &json!({"role": "viewer"})).await.status, 200);
        for stream in [&mut of_password, &mut of_role, &mut of_token] {
            assert_eq!(stream.next().await, None);
        }
        service.add("Heat", "DVD", 170, 1995, 5).await;
        assert_eq!(of_owner.next().await.expect("a change")["kind"], "create");
    }
}

on_both! {
    async fn a_client_that_does_not_read_is_dropped_and_can_go_on(service: &Service) {
        let mut unread = unread(service).await;
        // More than all buffers between service and client hold: 12 MB.
        let via = "v".repeat(4000);
        let changes = format!(
            "WITH RECURSIVE of(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM of WHERE n < 3000) \
             INSERT INTO changes (at, user_name, via, kind, movies) SELECT 0, 'editor', '{via}', 'update', 1 FROM of"
        );
        service.database.execute(&changes).await.expect("changes");
        service.add("Heat", "DVD", 170, 1995, 5).await; // which wakes the streams
        let mut conn = service.app.db.read().await.expect("a connection");
        let made: Vec<i64> = conn.query("SELECT id FROM changes ORDER BY id", &[], |row| row.get(0)).await.expect("ids");
        // A client that reconnects when it was too slow still gets the last change.
        let (mut reader, mut read) = (Stream::open(service, Some(0)).await, 0);
        while Some(&read) != made.last() {
            match reader.next().await {
                Some(change) => read = change["id"].as_i64().expect("an id"),
                None => reader = Stream::open(service, Some(read)).await,
            }
        }
        let mut sent = String::new();
        timeout(HANGS, unread.read_to_string(&mut sent)).await.expect("an end in time").expect("text");
        let mut got: Vec<i64> =
            sent.lines().filter_map(|line| line.strip_prefix("id: ")?.parse().ok()).collect();
        assert!(got.len() < made.len(), "it was dropped after {} of {}", got.len(), made.len());
        let mut again = Stream::open(service, Some(got.last().copied().unwrap_or(0))).await;
        got.extend(ids(&again.take(made.len() - got.len()).await));
        assert_eq!(got, made);
    }
}

/// Opens a stream and reads only its head. The client's receive buffer is small.
async fn unread(service: &Service) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(64 * 1024).expect("a small buffer");
    let address = service.base.strip_prefix("http://").expect("an address").parse().expect("an address");
    let mut client = socket.connect(address).await.expect("a connection");
    let head = format!(
        "GET /events HTTP/1.1\r\nhost: films.example\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n",
        service.viewer
    );
    client.write_all(head.as_bytes()).await.expect("a request");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(client.read_u8().await.expect("an answer"));
    }
    client
}

/// Many writers on two instances with overlapping transactions, while streams connect and disconnect.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_change_of_any_instance_is_skipped_or_sent_twice() {
    const WRITERS: usize = 8;
    const WRITES: usize = 40;

    let one = Service::start(Kind::Postgres).await;
    let two = one.another_instance(reelshelf::http::Settings::default()).await;
    let collect = async |service: &Service| {
        // Disconnects now and then, and continues with the last id.
        let (mut got, mut stream) = (Vec::new(), Stream::open(service, Some(0)).await);
        while got.len() < WRITERS * WRITES {
            got.push(stream.take(1).await[0]["id"].as_i64().expect("an id"));
            if got.len() % 70 == 0 {
                stream = Stream::open(service, got.last().copied()).await;
            }
        }
        got
    };
    let write = async |writer: usize| {
        let service = if writer.is_multiple_of(2) { &one } else { &two };
        for n in 0..WRITES {
            if n % 10 == 9 {
                let films = films::films(i64::try_from(50 * writer).expect("a number") + 50);
                let answer =
                    service.import("application/x-ndjson", "?onDuplicate=add", films::ndjson(&films)).await;
                assert_eq!(answer.status, 200, "{answer:?}");
            } else {
                service.add(&format!("Film {writer} {n}"), "DVD", 90, 2000, 3).await;
            }
        }
    };
    let writes = futures_util::future::join_all((0..WRITERS).map(write));
    let (_, a, b, c) = tokio::join!(writes, collect(&one), collect(&two), collect(&one));
    let every: BTreeSet<i64> =
        ids(one.get("/history?limit=1000").await.json().as_array().expect("a list")).into_iter().collect();
    assert_eq!(every.len(), WRITERS * WRITES);
    for got in [a, b, c] {
        assert_eq!(got.len(), every.len());
        assert_eq!(got.into_iter().collect::<BTreeSet<_>>(), every);
    }
}

on_both! {
    async fn more_streams_than_connections_to_the_database_begin_at_once(service: &Service) {
        const STREAMS: usize = MAX_DATABASE_CONNECTIONS + 4;
        const { assert!(STREAMS <= 2 * MAX_EVENT_STREAMS_PER_USER) };

        let writes = async {
            for n in 0..50 {
                service.add(&format!("Film {n}"), "DVD", 90, 2000, 3).await;
            }
        };
        let tokens = [&service.viewer, &service.editor].into_iter().cycle().take(STREAMS);
        let begin = tokens.map(|token| Stream::open_as(service, token, Some(0)));
        let begin = futures_util::future::join_all(begin);
        let (streams, ()) = tokio::join!(begin, writes);
        let all = futures_util::future::join_all(streams.into_iter().map(async |mut stream| stream.take(50).await));
        for changes in all.await {
            assert_eq!(ids(&changes), ids(&changes).into_iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>());
        }
    }
}

on_both! {
    async fn a_stream_goes_on_when_an_older_state_is_restored(service: &Service) {
        service.add("Alien", "VHS", 117, 1979, 4).await;
        service.patch("/movie/1", &json!({"rating": 5})).await;
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("films.backup");
        let file = file.to_str().expect("text");
        run(&service.database, &["backup", file], "").expect(0);
        let mut stream = Stream::open(service, None).await;
        service.add("Heat", "DVD", 170, 1995, 5).await;
        let [seen] = &stream.take(1).await[..] else { panic!("one") };
        run(&service.database, &["restore", "--replace", file], "").expect(0);
        service.add("Brazil", "VHS", 132, 1985, 5).await;
        // Neither restored changes, which are not new, nor one with a reused id.
        let next = stream.next().await.expect("the stream goes on");
        assert_eq!(next["effects"][0]["after"]["title"], "Brazil");
        assert_eq!((&seen["id"], &next["id"]), (&json!(3), &json!(4)));
        assert_eq!(ids(&Stream::open(service, Some(3)).await.take(1).await), [4]);
        assert_eq!(ids(&Stream::open(service, Some(0)).await.take(3).await), [1, 2, 4]);
    }
}

on_both! {
    async fn a_stream_ends_when_its_token_belongs_to_somebody_else_after_a_restore(service: &Service) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("films.backup");
        let file = file.to_str().expect("text");
        let another = Service::empty(TestDatabase::new(Kind::Sqlite).await, Settings::default()).await;
        for name in ["olivia", "pete", "vera"] {
            another.add_user(name, Role::Owner).await; // with the ids of the users and tokens here
        }
        run(&another.database, &["backup", file], "").expect(0);
        let mut stream = Stream::open(service, None).await;
        run(&service.database, &["restore", "--replace", file], "").expect(0);
        assert_eq!(stream.next().await, None);
    }
}
