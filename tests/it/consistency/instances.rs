//! Two instances on one PostgreSQL database under random concurrent writes. Each sees the acknowledged writes
//! of the other at once. At the end both respond like a new instance.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use futures_util::{
    StreamExt,
    future::{join_all, try_join_all},
    stream,
};
use rand::{RngExt, SeedableRng, rngs::SmallRng, seq::IndexedRandom};
use reelshelf::{
    domain::MovieId,
    http::Settings,
    service::{Viewer, audit::RequestContext, auth, movies},
};
use serde_json::{Value, json};

use crate::{
    cli::backup::back_up,
    support::{Answer, Kind, Service, films, movie, program::run},
};

const WRITERS: usize = 4;
/// Steps of each writer in a round.
const STEPS: usize = 10;
/// More movies than are applied while reads wait, and few enough for a test.
const MANY: usize = 1_100;
/// Concurrent requests, to save time.
const AT_ONCE: usize = 8;
const WORDS: [&str; 10] =
    ["Harbor", "Silent", "Night", "Amélie", "Ran", "The", "2", "Élan", "Alien", "Terminator"];

/// Prints the seed when a test fails. The same seed in the environment repeats the steps.
struct Seed(u64);

impl Seed {
    const NAME: &str = "REELSHELF_TEST_SEED";

    fn take() -> Self {
        let given = std::env::var(Self::NAME).ok();
        Self(given.map_or_else(rand::random, |seed| seed.parse().expect("a number")))
    }

    /// Returns the seed of one writer.
    fn of(&self, n: usize) -> u64 {
        self.0.wrapping_add(u64::try_from(n).expect("a number"))
    }
}

#[expect(clippy::print_stderr, reason = "the test's own output tells of it")]
impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the steps were those of {}={}", Self::NAME, self.0);
        }
    }
}

/// A writer: writes to one instance and reads from the other.
struct Writer<'a> {
    name: String,
    random: SmallRng,
    instances: [&'a Service; 2],
    /// Movies that no other writer changes, as acknowledged.
    own: Vec<Value>,
    /// Movies that all writers change.
    shared: &'a Mutex<Vec<i64>>,
    titles: usize,
}

impl<'a> Writer<'a> {
    /// Returns the instance to write to, and the other one.
    fn pick(&mut self) -> [&'a Service; 2] {
        let [one, other] = self.instances;
        if self.random.random() { [one, other] } else { [other, one] }
    }

    fn film(&mut self) -> Value {
        self.titles += 1;
        let word = WORDS.choose(&mut self.random).expect("a word");
        let title = format!("{word} {} {}", self.name, self.titles);
        let format = ["DVD", "VHS", "Streaming"].choose(&mut self.random).expect("a format");
        let mut number = |least: i64, most: i64| self.random.random_range(least..=most);
        movie(&title, format, number(80, 90), number(1990, 2010), number(1, 5))
    }

    /// Takes one of its own movies.
    fn take_own(&mut self) -> Option<Value> {
        let place = (!self.own.is_empty()).then(|| self.random.random_range(0..self.own.len()))?;
        Some(self.own.swap_remove(place))
    }

    async fn step(&mut self) {
        match self.random.random_range(0..16) {
            0..5 => self.create().await,
            5..8 => self.edit_own().await,
            8..10 => self.delete().await,
            10..12 => self.edit_shared().await,
            12..14 => self.batch_and_perhaps_undo().await,
            _ => self.import(self.titles % 40 + 2).await,
        }
    }

    async fn create(&mut self) {
        let (film, [to, other]) = (self.film(), self.pick());
        let made = done(&to.post("/movie", &film).await);
        is_as(other, &made).await;
        assert_eq!(found(other, &made).await, 1, "{made}");
        if self.random.random_ratio(1, 4) {
            self.shared.lock().expect("ids").push(id(&made));
        } else {
            self.own.push(made);
        }
    }

    async fn edit_own(&mut self) {
        let Some(film) = self.take_own() else { return self.create().await };
        let (wanted, [to, other]) = (self.film(), self.pick());
        let changed = done(&to.patch(&path(&film), &wanted).await);
        is_as(other, &changed).await;
        assert_eq!((found(other, &changed).await, found(other, &film).await), (1, 0), "{film} -> {changed}");
        self.own.push(changed);
    }

    async fn delete(&mut self) {
        let Some(film) = self.take_own() else { return self.create().await };
        let [to, other] = self.pick();
        assert_eq!(to.delete(&path(&film)).await.status, 204, "{film}");
        is_gone(other, &film).await;
    }

    async fn edit_shared(&mut self) {
        let one = self.shared.lock().expect("ids").choose(&mut self.random).copied();
        let Some(one) = one else { return self.create().await };
        let ([to, other], rating) = (self.pick(), self.random.random_range(1..=5));
        let changed = done(&to.patch(&format!("/movie/{one}"), &json!({"rating": rating})).await);
        let read = done(&other.get(&format!("/movie/{one}")).await);
        assert!(read["version"].as_i64() >= changed["version"].as_i64(), "{read} is older than {changed}");
    }

    async fn batch_and_perhaps_undo(&mut self) {
        let (new, wanted, [to, other]) = (self.film(), self.film(), self.pick());
        let (edited, deleted) = (self.take_own(), self.take_own());
        let mut operations = vec![json!({"op": "create", "movie": new})];
        operations
            .extend(edited.as_ref().map(|film| json!({"op": "update", "id": film["id"], "changes": wanted})));
        operations.extend(deleted.as_ref().map(|film| json!({"op": "delete", "id": film["id"]})));
        let batch = done(&to.post("/movie/batch", &json!({"operations": operations})).await);
        let now: Vec<Value> = batch["results"]
            .as_array()
            .expect("results")
            .iter()
            .filter_map(|result| result.get("movie").cloned())
            .collect();
        join_all(now.iter().map(|film| is_as(other, film))).await;
        join_all(deleted.iter().map(|film| is_gone(other, film))).await;
        if self.random.random() {
            self.own.extend(now);
            return;
        }
        let [to, other] = self.pick();
        done(&to.post(&format!("/history/{}/undo", batch["change"]), &json!({})).await);
        is_gone(other, &now[0]).await;
        for film in edited.iter().chain(&deleted) {
            let back = done(&other.get(&path(film)).await);
            assert_eq!(films::attributes_of(&back), films::attributes_of(film));
            self.own.push(back);
        }
    }

    /// Imports movies, and undoes a large import.
    async fn import(&mut self, rows: usize) {
        let (films, [to, other]) = ((0..rows).map(|_| self.film()).collect::<Vec<_>>(), self.pick());
        let report = to.import("application/x-ndjson", "", films::ndjson(&films)).await;
        let report = done(&report);
        assert_eq!(report["created"], rows, "{report}");
        join_all(films.iter().take(3).map(async |film| assert_eq!(found(other, film).await, 1, "{film}")))
            .await;
        let total = self.count(other).await;
        assert!(total >= rows, "{total} of {rows}");
        if rows >= MANY {
            let [to, other] = self.pick();
            done(&to.post(&format!("/history/{}/undo", report["change"]), &json!({})).await);
            assert_eq!(self.count(other).await, total - rows);
        }
    }

    /// Returns the number of this writer's movies. Without any, a search for its name finds those of others.
    async fn count(&self, service: &Service) -> usize {
        let found = service.get(&format!("/movie?q={}&limit=1&total=true", self.name)).await;
        if found.header("reelshelf-match") == "fuzzy" {
            return 0;
        }
        found.header("x-total-count").parse().expect("a number")
    }
}

#[track_caller]
fn done(answer: &Answer) -> Value {
    assert!([200, 201].contains(&answer.status), "{answer:?}");
    answer.json()
}

fn id(movie: &Value) -> i64 {
    movie["id"].as_i64().expect("an id")
}

fn path(movie: &Value) -> String {
    format!("/movie/{}", movie["id"])
}

async fn is_as(service: &Service, movie: &Value) {
    assert_eq!(done(&service.get(&path(movie)).await), *movie);
}

async fn is_gone(service: &Service, movie: &Value) {
    assert_eq!(service.get(&path(movie)).await.status, 404, "{movie}");
    assert_eq!(found(service, movie).await, 0, "{movie}");
}

/// Returns the number of movies with the unique title of this one.
async fn found(service: &Service, movie: &Value) -> usize {
    let title = movie["title"].as_str().expect("a title");
    let list = done(&service.get(&format!("/movie?q={}", title.replace(' ', "+"))).await);
    list.as_array().expect("a list").iter().filter(|found| found["title"] == title).count()
}

/// Returns all kinds of reads.
fn questions() -> Vec<String> {
    let filters = [
        "",
        "movieFormat=DVD",
        "releaseYear=1995..2000&rating=4..",
        "length=..84&movieFormat=VHS&movieFormat=Streaming",
        "q=harbor",
        "q=a",
        "q=alien+writer",
        "q=slient+harbro",
        "q=terminatro&rating=3..",
    ];
    let sorts =
        ["title", "-rating,title", "releaseYear,-length", "-updatedAt", "createdAt,-id", "movieFormat"];
    let mut questions: Vec<String> = sorts.map(|sort| format!("/movie?sort={sort}")).into();
    for (n, filter) in filters.iter().enumerate() {
        questions.push(format!("/stats?{filter}"));
        questions.push(format!("/movie?{filter}&limit=20&total=true&sort={}", sorts[n % sorts.len()]));
    }
    questions
}

/// Checks that instances respond like a new one.
async fn answer_alike(instances: [&Service; 2]) {
    let fresh = instances[0].another_instance(Settings::default()).await;
    for question in questions() {
        let [expected, one, other] =
            [&fresh, instances[0], instances[1]].map(|service| service.get(&question));
        let (expected, one, other) = tokio::join!(expected, one, other);
        assert_eq!(expected.status, 200, "{expected:?}");
        for answer in [one, other] {
            assert!(answer.text == expected.text, "{question}: {} instead of {}", answer.text, expected.text);
            assert_eq!(answer.header("x-total-count"), expected.header("x-total-count"), "{question}");
            assert_eq!(answer.header("link"), expected.header("link"), "{question}");
        }
    }
    let all = done(&fresh.get("/movie").await);
    let all = all.as_array().expect("a list");
    for (service, each) in instances.into_iter().zip([2, 3]) {
        let some = all.iter().filter(|movie| id(movie) % each != 1);
        stream::iter(some).for_each_concurrent(AT_ONCE, |movie| is_as(service, movie)).await;
    }
}

async fn write(writers: &mut [Writer<'_>], large: usize) {
    let turn = AtomicUsize::new(0);
    let write = async |writer: &mut Writer<'_>| {
        for step in 0..STEPS {
            writer.step().await;
            // One of the writers makes a large change.
            if step == STEPS / 2 && turn.fetch_add(1, Relaxed) == large {
                writer.import(MANY).await;
            }
        }
    };
    join_all(writers.iter_mut().map(write)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_lost_against_a_change_since_the_request_arrived_reads_that_change() {
    let one = Service::start(Kind::Postgres).await;
    let other = one.another_instance(Settings::default()).await;
    films::fill(&one, &films::films(1)).await;
    let from = RequestContext { address: [192, 0, 2, 1].into(), id: "1".into() };
    let viewer = Viewer::from(auth::bearer(&one.app, from, &one.viewer).await.unwrap());
    for version in 2..20 {
        let rating = json!({"rating": version % 5 + 1});
        assert_eq!(other.patch("/movie/1", &rating).await.json()["version"], version);
        let film = movies::get_committed(&one.app, &viewer, MovieId::from_stored(1)).await.unwrap();
        assert_eq!(film.version, version);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_instance_has_answered_is_read_on_the_other_and_at_last_both_are_like_a_new_one() {
    let seed = Seed::take();
    let one = Service::start(Kind::Postgres).await;
    let other = one.another_instance(Settings::default()).await;
    let instances = [&one, &other];
    films::fill(&one, &films::films(i64::try_from(MANY).unwrap())).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("films.backup");

    for round in 0..2 {
        let shared = Mutex::new(vec![1, 2, 3]);
        let mut writers: Vec<Writer<'_>> = (0..WRITERS)
            .map(|n| Writer {
                name: format!("writer{round}{n}"),
                random: SmallRng::seed_from_u64(seed.of(round * WRITERS + n)),
                instances,
                own: Vec::new(),
                shared: &shared,
                titles: 0,
            })
            .collect();
        write(&mut writers, 1 + round).await;
        answer_alike(instances).await;
        if round == 0 {
            let then = done(&one.get("/movie").await);
            back_up(&one.database, &file).expect(0);
            write(&mut writers, 0).await;
            run(&one.database, &["restore", "--replace", file.to_str().unwrap()], "").expect(0);
            let restored = try_join_all(instances.map(async |service| {
                let list = service.get("/movie").await;
                if list.status == 200 { Ok(list.json()) } else { Err(list) }
            }));
            assert_eq!(restored.await.expect("lists"), [then.clone(), then]);
            answer_alike(instances).await;
        }
    }
}
