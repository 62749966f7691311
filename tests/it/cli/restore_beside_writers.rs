//! `reelshelf restore --replace` during concurrent writes.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
};

use futures_util::future::join_all;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::backup::{back_up, restore};
use crate::{
    on_both,
    support::{Answer, Service, TestDatabase, films, movie, program::run, until},
};

const WRITERS: usize = 20;

/// A write of one or three films.
struct Write {
    titles: Vec<String>,
    /// Whether its response was a success. Otherwise the result is unknown.
    acknowledged: bool,
}

/// Where the films of a write are.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
enum Place {
    Replaced,
    Nowhere,
    After,
}

fn request(service: &Service, titles: &[String]) -> RequestBuilder {
    let of = |title: &String| movie(title, "DVD", 100, 2000, 3);
    match titles {
        [title] => service.request(Method::POST, "/movie").json(&of(title)),
        titles => {
            let creates = titles.iter().map(|title| json!({"op": "create", "movie": of(title)}));
            let operations = json!({"operations": creates.collect::<Vec<_>>()});
            service.request(Method::POST, "/movie/batch").json(&operations)
        }
    }
}

/// Writes in sequence until told to stop, and counts acknowledged writes.
async fn write(
    service: &Service,
    writer: usize,
    stop: &AtomicBool,
    acknowledged: &AtomicUsize,
) -> Vec<Write> {
    let mut sent = Vec::new();
    while !stop.load(SeqCst) {
        let n = sent.len();
        let films = if writer.is_multiple_of(4) { 3 } else { 1 }; // a user has 8 batches at once at most
        let titles: Vec<_> = (0..films).map(|film| format!("Written by {writer} as {n} {film}")).collect();
        let answer = Answer::of(request(service, &titles)).await;
        assert!([200, 201, 503].contains(&answer.status), "{answer:?}");
        let done = answer.status != 503;
        sent.push(Write { titles, acknowledged: done });
        acknowledged.fetch_add(usize::from(done), SeqCst);
    }
    sent
}

/// Returns the films of a collection: the concurrently written ones by title, and all others.
async fn films_of(service: &Service) -> (BTreeSet<String>, Vec<Value>) {
    let all = service.get("/movie").await.json();
    let title = |movie: &Value| movie["title"].as_str().expect("a title").to_owned();
    let (written, others): (Vec<Value>, Vec<Value>) = all
        .as_array()
        .expect("a list")
        .iter()
        .cloned()
        .partition(|movie| title(movie).starts_with("Written by "));
    assert_eq!(service.get("/stats").await.json()["movies"], written.len() + others.len());
    let found = service.get("/movie?q=written&limit=1&total=true").await;
    assert!(written.is_empty() || found.header("x-total-count") == written.len().to_string(), "{found:?}");
    let titles: BTreeSet<_> = written.iter().map(title).collect();
    assert_eq!(titles.len(), written.len(), "none is there twice");
    (titles, others)
}

fn place(write: &Write, replaced: &BTreeSet<String>, after: &BTreeSet<String>) -> Place {
    let titles = &write.titles;
    let count = |films: &BTreeSet<String>| titles.iter().filter(|title| films.contains(*title)).count();
    match (count(replaced), count(after)) {
        (all, 0) if all == titles.len() => Place::Replaced,
        (0, all) if all == titles.len() => Place::After,
        (0, 0) => Place::Nowhere,
        half => panic!("{titles:?}: {half:?}"),
    }
}

/// Restores the collection of a file into a new database.
async fn collection_in(file: &Path, like: &Service) -> Service {
    let database = TestDatabase::new(like.database.kind).await;
    restore(&database, file).expect(0);
    let mut service = Service::empty(database, reelshelf::http::Settings::default()).await;
    like.owner.clone_into(&mut service.owner);
    service
}

on_both! {
    async fn a_restore_replaces_all_at_one_moment_and_writes_go_on(service: &Service) {
        films::fill(service, &films::films(300)).await;
        let then = films_of(service).await.1;
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("then.backup");
        back_up(&service.database, &file).expect(0);

        let (stop, counts) = (AtomicBool::new(false), [const { AtomicUsize::new(0) }; WRITERS]);
        let acknowledge = async |more: usize| {
            let before = counts.each_ref().map(|count| count.load(SeqCst));
            until(async || counts.iter().zip(before).all(|(count, before)| count.load(SeqCst) >= before + more)).await;
        };
        let writers = (0..WRITERS).map(|writer| write(service, writer, &stop, &counts[writer]));
        let replace = async {
            acknowledge(2).await;
            let (database, file) = (service.database.clone(), file.clone());
            let file = Arc::new(file);
            let replaced = tokio::task::spawn_blocking(move || {
                run(&database, &["restore", "--replace", file.to_str().expect("text")], "")
            });
            replaced.await.expect("it runs").expect(0);
            acknowledge(2).await;
            stop.store(true, SeqCst);
        };
        let (sent, ()) = tokio::join!(join_all(writers), replace);

        let (after, others) = films_of(service).await;
        assert_eq!(others, then, "what was backed up is there again");
        let files = std::fs::read_dir(folder.path()).expect("a folder").map(|file| file.expect("a file").path());
        let [before] = &files.filter(|found| *found != file).collect::<Vec<_>>()[..] else { panic!("one backup") };
        let (replaced, others) = films_of(&collection_in(before, service).await).await;
        assert_eq!(others, then);
        let mut changes = 1; // the import
        for sent in &sent {
            let mut last = Place::Replaced;
            for write in sent {
                let place = place(write, &replaced, &after);
                assert!(place != Place::Nowhere || !write.acknowledged, "{:?} are lost", write.titles);
                if place != Place::Nowhere {
                    assert!(place >= last, "{:?}: {place:?} after {last:?}", write.titles);
                    last = place;
                }
                changes += usize::from(place == Place::After);
            }
            assert_eq!(last, Place::After);
        }
        let history = service.get("/history?limit=1&total=true").await;
        assert_eq!(history.header("x-total-count"), changes.to_string(), "each with its change");
    }
}
