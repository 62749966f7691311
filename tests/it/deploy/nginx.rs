//! Two instances on one database behind Debian's nginx, with the configuration in deploy/nginx.

use std::{
    io::Read,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use futures_util::{StreamExt, future::join_all, stream};
use reqwest::{Body, Client, Method, RequestBuilder, Version};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::{
    Answer, HANGS, Kind, PASSWORD, TestDatabase,
    certificate::Pair,
    client_builder, movie,
    program::{Program, Signal, poll, run},
    until,
};

const SITE: &str = include_str!("../../../deploy/nginx/reelshelf.conf");
const REDIRECT: &str = include_str!("../../../deploy/nginx/redirect.conf");

/// nginx in front of two instances, stopped when dropped.
struct Site {
    nginx: Child,
    instances: Vec<Program>,
    database: TestDatabase,
    folder: tempfile::TempDir,
    pair: Pair,
    /// The addresses of ports 443 and 80.
    https: String,
    http: String,
    /// The token of the owner, `olivia`.
    token: String,
}

impl Site {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let database = TestDatabase::new(Kind::Postgres).await;
        let environment = [
            ("REELSHELF_OWNER", "olivia"),
            ("REELSHELF_OWNER_PASSWORD", PASSWORD),
            ("TMPDIR", folder.path().to_str().expect("text")),
        ];
        let instance = || Program::start_with(&database, &["--trusted-proxy", "127.0.0.1"], &environment);
        let instances = vec![instance(), instance()];
        let token = run(&database, &["token", "create", "olivia", "test"], "").expect(0).out;

        let pair = Pair::new();
        let (nginx, https, http) = loop {
            let [https, http] = [free_port(), free_port()].map(|port| format!("127.0.0.1:{port}"));
            configure(folder.path(), &pair, &https, &http, &instances);
            let mut nginx = nginx(folder.path()).stderr(Stdio::piped()).spawn().expect("nginx is installed");
            // It writes the file once it listens.
            let pid = folder.path().join("pid");
            let end = poll("nginx listens or ends", || {
                let end = nginx.try_wait().expect("a process of ours");
                (end.is_some() || std::fs::read(&pid).is_ok_and(|pid| !pid.is_empty())).then_some(end)
            });
            if end.is_none() {
                break (nginx, https, http);
            }
            let mut why = String::new();
            nginx.stderr.take().expect("a pipe").read_to_string(&mut why).expect("text");
            assert!(why.contains("Address already in use"), "{why}"); // somebody else was faster
        };
        Self {
            nginx,
            instances,
            database,
            pair,
            https: format!("https://{https}"),
            http: format!("http://{http}"),
            token: token.trim_end().to_owned(),
            folder,
        }
    }

    /// Creates a client with a local address.
    fn client(&self, address: [u8; 4]) -> Client {
        let builder = client_builder([self.pair.certificate()]).local_address(Some(address.into()));
        builder.build().expect("a client")
    }

    /// Creates a request of the owner.
    fn request(&self, client: &Client, method: Method, path: &str) -> RequestBuilder {
        client.request(method, format!("{}{path}", self.https)).bearer_auth(&self.token)
    }

    /// Waits for a line in the log of nginx with this text and returns it.
    fn await_log(&self, text: &str) -> String {
        let log = self.folder.path().join("access.log");
        poll(text, || {
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            log.lines().find(|line| line.contains(text)).map(str::to_owned)
        })
    }

    /// Returns the bytes of unfinished uploads that the instances have received.
    fn spooled(&self) -> u64 {
        let folder = self.folder.path().to_str().expect("text");
        let open = self.instances.iter().flat_map(|instance| {
            std::fs::read_dir(format!("/proc/{}/fd", instance.id())).expect("a process").flatten()
        });
        let spools = open.filter(|file| {
            std::fs::read_link(file.path()).is_ok_and(|target| target.to_string_lossy().starts_with(folder))
        });
        spools.filter_map(|file| std::fs::metadata(file.path()).ok()).map(|file| file.len()).sum()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // SIGKILL would leave its workers running.
        let _ = rustix::process::kill_process(rustix::process::Pid::from_child(&self.nginx), Signal::TERM);
        let _ = self.nginx.wait();
    }
}

/// Returns a port below the ephemeral range.
fn free_port() -> u16 {
    loop {
        let port = rand::random_range(20_000..32_000);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Writes the configuration of deploy/nginx with the addresses and paths of a test.
fn configure(folder: &Path, pair: &Pair, https: &str, http: &str, instances: &[Program]) {
    let here = folder.display().to_string();
    let [first, second] = [0, 1].map(|n| instances[n].address());
    let certificate = |name| format!("/etc/letsencrypt/live/reelshelf/{name}");
    let changes = [
        ("listen 443 ", format!("listen {https} ")),
        ("listen 80 ", format!("listen {http} ")),
        ("listen [::]", "# listen [::]".to_owned()), // which not every machine has
        ("127.0.0.1:8080 ", format!("{first} ")),
        ("127.0.0.1:8081 ", format!("{second} ")),
        (&*certificate("fullchain.pem"), pair.path("cert.pem").display().to_string()),
        (&*certificate("privkey.pem"), pair.path("key.pem").display().to_string()),
        ("/var/log/nginx/", format!("{here}/")),
        ("/var/www/html", here.clone()),
        ("rate=1r/s", "rate=1r/m".to_owned()), // however long a burst takes, it is one
    ];
    let mut site = format!("{REDIRECT}{SITE}");
    for (there, in_test) in changes {
        assert!(site.contains(there), "{there}");
        site = site.replace(there, &in_test);
    }
    std::fs::write(folder.join("site.conf"), site).expect("a file");
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|of| format!("{of}_temp_path {here}/{of};\n"))
        .concat();
    // When started as root, nginx would switch to a user without access to the folder.
    let user = if rustix::process::getuid().is_root() { "user root;" } else { "" };
    let whole = format!(
        "{user} daemon off; worker_processes 2; pid {here}/pid; error_log {here}/nginx.log;\n\
         events {{}}\nhttp {{\n{temporary}include {here}/site.conf;\n}}\n"
    );
    std::fs::write(folder.join("nginx.conf"), whole).expect("a file");
}

fn nginx(folder: &Path) -> Command {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new("nginx");
    // Debian installs it outside of a user's PATH.
    command.env("PATH", format!("{path}:/usr/sbin")).arg("-p").arg(folder).args(["-c", "nginx.conf"]);
    command
}

#[tokio::test]
async fn https_is_http2_and_port_80_leads_to_it() {
    let site = Site::start().await;
    let client = site.client([127, 0, 0, 1]);
    let answer = site.request(&client, Method::GET, "/movie").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (200, Version::HTTP_2));
    for name in
        ["strict-transport-security", "content-security-policy", "x-content-type-options", "referrer-policy"]
    {
        assert_eq!(answer.headers().get_all(name).iter().count(), 1, "{name}");
    }
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000");

    let from_80 = async |path: &str| {
        let request = client.get(format!("{}{path}", site.http));
        Answer::of(request.header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")).await
    };
    let answer = from_80("/?q=heat").await;
    assert_eq!((answer.status, answer.header("location")), (301, "https://127.0.0.1/?q=heat"));
    let answer = from_80("//evil.example/x").await;
    assert_eq!(answer.header("location"), "https://127.0.0.1//evil.example/x");
    let challenges = site.folder.path().join(".well-known/acme-challenge");
    std::fs::create_dir_all(&challenges).unwrap();
    std::fs::write(challenges.join("token"), "the key").unwrap();
    let answer = from_80("/.well-known/acme-challenge/token").await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "the key"));
}

/// Checks the headers of nginx's own responses.
#[track_caller]
fn assert_closed(answer: &Answer) {
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{answer:?}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store", "{answer:?}");
    assert_eq!(answer.header("referrer-policy"), "same-origin", "{answer:?}");
}

#[tokio::test]
async fn port_80_refuses_what_may_hold_a_secret() {
    let site = Site::start().await;
    let client = site.client([127, 0, 0, 1]);
    let to_80 = |method: Method, path: &str| client.request(method, format!("{}{path}", site.http));
    let page = |method: Method| to_80(method, "/movie").header("accept", "text/html");
    let form = [("name", "olivia"), ("password", PASSWORD)];
    let refused = [
        to_80(Method::GET, "/movie"),
        to_80(Method::GET, "/movie").header("accept", "application/json"),
        to_80(Method::GET, "/movie").bearer_auth(&site.token),
        page(Method::GET).bearer_auth(&site.token),
        page(Method::GET).basic_auth("olivia", Some(PASSWORD)),
        page(Method::POST),
        page(Method::DELETE),
        to_80(Method::POST, "/login").header("accept", "text/html").json(&form),
    ];
    for request in refused {
        let answer = Answer::of(request).await;
        assert_closed(&answer);
        assert_eq!((answer.status, answer.header("content-type")), (403, "application/problem+json"));
        assert!(answer.text.contains("use https; others could read this request"), "{answer:?}");
    }
    for method in [Method::GET, Method::HEAD] {
        assert_eq!(Answer::of(page(method)).await.status, 301);
    }
    assert_eq!(Answer::of(page(Method::TRACE)).await.status, 405);
    assert_closed(&Answer::of(page(Method::TRACE)).await);
}

#[tokio::test]
async fn what_nginx_says_by_itself_is_a_document_or_a_page_like_ours() {
    let mut site = Site::start().await;
    let client = site.client([127, 0, 0, 1]);
    let request = |method: Method, path: &str| client.request(method, format!("{}{path}", site.https));
    let of_own = [
        (request(Method::TRACE, "/"), 405),
        (request(Method::POST, "/user").body(vec![b' '; (2 << 20) + 1]), 413),
    ];
    for (request, status) in of_own {
        let document = Answer::of(request.try_clone().expect("a request")).await;
        assert_closed(&document);
        assert_eq!((document.status, document.header("content-type")), (status, "application/problem+json"));
        assert_eq!(document.json()["status"], status);
        assert_eq!(document.header("strict-transport-security"), "max-age=31536000");
        assert_eq!(document.header("retry-after"), "");
        let page = Answer::of(request.header("accept", "text/html,*/*")).await;
        assert_closed(&page);
        assert_eq!((page.status, page.header("content-type")), (status, "text/html; charset=utf-8"));
    }
    let over_http1 = client_builder([site.pair.certificate()]).http1_only().build().expect("a client");
    let too_long = Answer::of(over_http1.get(format!("{}/{}", site.https, "x".repeat(40_000)))).await;
    assert_closed(&too_long);
    assert_eq!((too_long.status, too_long.header("content-type")), (414, "text/html"));
    site.instances.clear(); // which kills them
    for accept in ["*/*", "text/html"] {
        let answer = Answer::of(request(Method::GET, "/").header("accept", accept)).await;
        assert_closed(&answer);
        assert_eq!((answer.status, answer.header("retry-after")), (502, "2"));
    }
}

#[tokio::test]
async fn a_form_of_our_own_is_known_as_such() {
    let site = Site::start().await;
    let client = site.client([127, 0, 0, 1]);
    for (origin, status) in [(site.https.as_str(), 200), ("https://evil.example", 403)] {
        let login = client.post(format!("{}/login", site.https)).header("origin", origin);
        let answer = Answer::of(login.json(&json!({"name": "olivia", "password": PASSWORD}))).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(status == 403 || answer.header("set-cookie").ends_with("; Secure"), "{answer:?}");
    }
}

#[tokio::test]
async fn an_import_of_100_mb_is_handed_on_as_it_comes() {
    let site = Site::start().await;
    let client = site.client([127, 0, 0, 1]);
    let row = |n| format!("Film {n},DVD,90,2000,3,{}\n", "x".repeat(1_000_000));
    let header = "title,movieFormat,length,releaseYear,rating,notes\n".to_owned();
    let first_half: Vec<String> = std::iter::once(header).chain((0..50).map(row)).collect();
    let sent: usize = first_half.iter().map(String::len).sum();

    let (go_on, may_go_on) = tokio::sync::oneshot::channel::<()>();
    let second_half = stream::once(async move { may_go_on.await.unwrap() });
    let second_half = second_half.flat_map(move |()| stream::iter((50..100).map(row)));
    let file = stream::iter(first_half).chain(second_half).map(Ok::<_, std::io::Error>);
    let request = site.request(&client, Method::POST, "/movie").header("content-type", "text/csv");
    let import = tokio::spawn(Answer::of(request.body(Body::wrap_stream(file))));

    until(async || site.spooled() == sent as u64).await;
    go_on.send(()).unwrap();
    let answer = import.await.unwrap();
    assert_eq!((answer.status, &answer.json()["created"]), (200, &json!(100)), "{answer:?}");
}

#[tokio::test]
async fn only_imports_are_large() {
    let site = Site::start().await;
    let client = site.client([127, 0, 0, 1]);
    let sent = async |path: &str, size: usize| {
        let request = site.request(&client, Method::POST, path);
        Answer::of(request.header("content-type", "application/json").body(vec![b' '; size])).await
    };
    for (path, most) in [("/user", 2 << 20), ("/movie/batch", 8 << 20)] {
        let taken = sent(path, most).await;
        assert!(!taken.header("x-request-id").is_empty(), "the service itself answers: {taken:?}");
        let refused = sent(path, most + 1).await;
        assert_eq!(refused.header("content-type"), "application/problem+json");
        assert_eq!((refused.status, refused.header("x-request-id")), (413, ""), "{refused:?}");
        assert_eq!(refused.json()["status"], 413);
    }
    assert!(!sent("/import", 20 << 20).await.header("x-request-id").is_empty());

    let declared = async |path: &str, size: &str| {
        let request = site.request(&client, Method::POST, path).header("content-length", size);
        let body = Body::wrap_stream(stream::pending::<Result<String, std::io::Error>>());
        timeout(HANGS, Answer::of(request.body(body))).await.expect("an answer at once").status
    };
    assert_eq!(declared("/movie", "1073741825").await, 413);
    assert_eq!(declared("/import", "1100000000").await, 413);
}

#[tokio::test]
async fn an_event_comes_at_once() {
    let site = Site::start().await;
    let client = site.client([127, 0, 0, 1]);
    let events = site.request(&client, Method::GET, "/events").send().await.unwrap();
    assert_eq!(events.headers()["content-type"], "text/event-stream");
    let heat = site.request(&client, Method::POST, "/movie").json(&movie("Heat", "DVD", 170, 1995, 5));
    assert_eq!(Answer::of(heat).await.status, 201);
    let mut events = events.bytes_stream();
    let event =
        async { while !String::from_utf8_lossy(&events.next().await.unwrap().unwrap()).contains("Heat") {} };
    timeout(HANGS, event).await.expect("an event in time");
}

#[tokio::test]
async fn an_export_comes_as_it_is_made() {
    let site = Site::start().await;
    // More than all sockets buffer.
    let many = "INSERT INTO movie_rows \
                SELECT nextval('movie_ids'), repeat('🎬', 40) || n, 'DVD', 90, 2000, 3, 1, 0, 0, 0 \
                FROM generate_series(1, 100000) n; \
                INSERT INTO changes (at, user_name, via, kind, movies) VALUES (0, 'x', 'console', 'import', 100000)";
    site.database.execute(many).await.unwrap();
    let client = site.client([127, 0, 0, 1]);
    let read = async || site.request(&client, Method::GET, "/movie?limit=1").send().await.unwrap().status();
    until(async || read().await == 200).await; // not before all of it is loaded
    for path in ["/movie", "/export/films.ndjson"] {
        let export = site.request(&client, Method::GET, path).send().await.unwrap();
        assert_eq!(export.status(), 200);
        let mut export = export.bytes_stream();
        assert!(!export.next().await.unwrap().unwrap().is_empty());
        // A film that is added after the response began is still in it.
        let title = format!("Last of {path}");
        let last = site.request(&client, Method::POST, "/movie").json(&movie(&title, "DVD", 90, 2000, 3));
        assert_eq!(Answer::of(last).await.status, 201);
        let mut end = Vec::new();
        while let Some(piece) = export.next().await {
            end.extend_from_slice(&piece.unwrap());
            end.drain(..end.len().saturating_sub(1000));
        }
        assert!(String::from_utf8_lossy(&end).contains(&title), "{path}");
    }
}

#[tokio::test]
async fn the_log_has_the_client_and_the_path_alone() {
    let mut site = Site::start().await;
    let client = site.client([127, 0, 0, 2]);
    let answer = Answer::of(site.request(&client, Method::GET, "/movie?q=whisper")).await;
    assert_eq!(answer.status, 200);
    let line = site.await_log(answer.header("x-request-id"));
    assert!(line.starts_with("127.0.0.2 [") && line.contains("\"GET /movie HTTP/2.0\" 200"), "{line}");
    assert!(site.instances.iter().any(|of| line.contains(of.address())), "{line}");

    site.instances.clear(); // which kills them
    let refused = Answer::of(site.request(&client, Method::GET, "/movie?q=whisper")).await;
    assert_eq!(refused.status, 502);
    site.await_log("\" 502 ");
    for log in ["access.log", "error.log", "nginx.log"] {
        let log = std::fs::read_to_string(site.folder.path().join(log)).unwrap_or_default();
        assert!(!log.contains("whisper"), "{log}");
    }
}

#[tokio::test]
async fn each_client_is_throttled_by_its_own_address() {
    let site = Site::start().await;
    let guess = async |client: &Client, forged: String| {
        let request = client.get(format!("{}/me", site.https)).basic_auth("olivia", Some("wrong"));
        Answer::of(request.header("x-forwarded-for", forged)).await
    };
    // The first address is a trusted proxy of the service.
    for address in [[127, 0, 0, 1], [127, 0, 0, 2]] {
        let client = site.client(address);
        for n in 0..5 {
            assert_eq!(guess(&client, format!("192.0.2.{n}")).await.status, 401);
        }
        let refused = guess(&client, "192.0.2.99".to_owned()).await;
        assert!(!refused.header("retry-after").is_empty());
        refused.problem(429);
    }
    assert_eq!(guess(&site.client([127, 0, 0, 3]), "127.0.0.1".to_owned()).await.status, 401);
}

#[tokio::test]
async fn a_burst_of_sign_ins_is_held_up_by_address() {
    let site = Site::start().await;
    for (n, path) in [(1, "/login"), (3, "/setup")] {
        let ask = async |client: &Client| Answer::of(client.get(format!("{}{path}", site.https))).await;
        let client = site.client([127, 0, 0, n]);
        let answers = join_all((0..60).map(|_| ask(&client))).await;
        let taken = answers.iter().filter(|answer| answer.status != 429).count();
        assert!((20..60).contains(&taken), "{path}: {taken}");
        let refused = answers.iter().find(|answer| answer.status == 429).expect("a refusal");
        assert_closed(refused);
        assert_eq!((refused.header("retry-after"), &refused.json()["status"]), ("2", &json!(429)));
        assert_ne!(ask(&site.client([127, 0, 0, n + 1])).await.status, 429);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_is_killed_is_not_missed() {
    let site = Site::start().await;
    let clients = [2, 3, 4, 5].map(|n| site.client([127, 0, 0, n]));
    let added = site.request(&clients[0], Method::POST, "/movie").json(&movie("Heat", "DVD", 170, 1995, 5));
    let added = Answer::of(added).await;
    let line = site.await_log(added.header("x-request-id"));
    let is_asked = |of: &&Program| line.contains(of.address());
    let asked = site.instances.iter().find(is_asked).expect("one of the two");

    let is_over = AtomicBool::new(false);
    let read = [const { AtomicUsize::new(0) }; 4];
    let reading = join_all(clients.iter().zip(&read).map(async |(client, read)| {
        while !is_over.load(Ordering::SeqCst) {
            let answer = Answer::of(site.request(client, Method::GET, "/movie/1")).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            read.fetch_add(1, Ordering::SeqCst);
        }
    }));
    let all_have_read =
        async |so_many| until(async || read.iter().all(|read| read.load(Ordering::SeqCst) >= so_many)).await;
    let killing = async {
        all_have_read(20).await;
        asked.signal(Signal::KILL);
        all_have_read(60).await;
        is_over.store(true, Ordering::SeqCst);
    };
    tokio::join!(reading, killing);
    for client in &clients {
        let another = site.request(client, Method::POST, "/movie").json(&movie("Ran", "VHS", 162, 1985, 5));
        assert_eq!(Answer::of(another).await.status, 201);
    }
}

#[tokio::test]
async fn where_no_instance_answers_nginx_says_so() {
    let mut site = Site::start().await;
    site.instances.clear(); // which kills them
    let client = site.client([127, 0, 0, 1]);
    let answer = Answer::of(site.request(&client, Method::GET, "/movie")).await;
    assert_eq!((answer.status, answer.header("content-type")), (502, "application/problem+json"));
    assert_eq!((answer.header("retry-after"), &answer.json()["status"]), ("2", &Value::from(502)));
    let page = Answer::of(site.request(&client, Method::GET, "/").header("accept", "text/html,*/*")).await;
    assert_eq!((page.status, page.header("content-type")), (502, "text/html; charset=utf-8"));
    assert!(page.text.contains("the service cannot be reached"), "{page:?}");
    assert!(!page.header("strict-transport-security").is_empty());
}
