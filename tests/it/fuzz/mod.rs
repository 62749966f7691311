//! Bytes that nobody would send on purpose: made from a corpus, and held against what must always be true.
//!
//! `make test` tries the corpus, and some hundred inputs that are made of it, the same each time. With
//! `REELSHELF_FUZZ_SECONDS` each target goes on for so long, from another beginning each time:
//!
//! ```sh
//! REELSHELF_FUZZ_SECONDS=600 cargo test --test it fuzz::
//! ```
//!
//! What breaks a law is left in `target/tmp/fuzz/`; put it into the target's folder of `corpus/` and mend what it shows.

mod backups;
mod parsers;
mod requests;

use std::{
    net::SocketAddr,
    panic::AssertUnwindSafe,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderValue, Request, header},
};
use futures_util::FutureExt;
use reelshelf::http;
use tower::ServiceExt;

use crate::support::{Service, signing_in::behind_a_proxy};

/// Inputs that are made for each target where no time is given.
const INPUTS: usize = 300;
/// How long an input can become, in bytes.
const MAX_BYTES: usize = 16 * 1024;
/// The least share of what is made of a target's inputs that must be read.
const MIN_READ_PERCENT: usize = 15;

/// What stands in place of a number now and then.
const NUMBERS: [&[u8]; 9] = [
    b"0",
    b"-1",
    b"2",
    b"60",
    b"9007199254740991",
    b"9007199254740992",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"1e400",
];

/// What is in every target's inputs now and then.
const TOKENS: [&[u8]; 16] = [
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\"",
    b"\\",
    b",",
    b";",
    b"\r\n",
    b"%00",
    b"-1",
    b"9223372036854775808",
    b"1e999",
    "\u{202e}".as_bytes(),
    "e\u{301}".as_bytes(),
    "\u{1f3ac}".as_bytes(),
];

/// How far an input came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Depth {
    /// Its outermost form was refused: an encoding, a header, a frame.
    Refused,
    /// That was read, and something in it was refused.
    Read,
    /// It was taken.
    Accepted,
}

/// Holds inputs against a law, which panics where it is broken: those of the corpus, these seeds, and what is
/// made of both. Seeds must be accepted, and enough of what is made must be read: a target that refuses everything
/// at once tries nothing.
async fn fuzz(target: &str, seeds: &[Vec<u8>], law: impl AsyncFn(&[u8]) -> Depth) {
    for seed in seeds {
        let depth = hold(target, seed, &law).await;
        assert_eq!(depth, Depth::Accepted, "a seed of {target}: {:?}", String::from_utf8_lossy(seed));
    }
    let mut corpus = stored(target);
    for input in &corpus {
        hold(target, input, &law).await;
    }
    corpus.extend_from_slice(seeds);
    let end = std::env::var("REELSHELF_FUZZ_SECONDS")
        .ok()
        .map(|seconds| Instant::now() + Duration::from_secs(seconds.parse().expect("a number of seconds")));
    let mut chance = Chance(if end.is_some() { rand::random() } else { 1 });
    let (mut made, mut read, mut accepted) = (0, 0, 0);
    while end.map_or(made < INPUTS, |end| Instant::now() < end) {
        let mut input = chance.pick(&corpus).clone();
        // One time in two once, in four twice, and so on.
        for _ in 0..=chance.next().trailing_zeros() {
            chance.mutate(&mut input, &corpus);
        }
        input.truncate(MAX_BYTES);
        let depth = hold(target, &input, &law).await;
        made += 1;
        read += usize::from(depth >= Depth::Read);
        accepted += usize::from(depth == Depth::Accepted);
    }
    let outcome = format!("{target}: {made} inputs, {read} read, {accepted} of them accepted");
    #[expect(clippy::print_stdout, reason = "a long run says how much it tried")]
    if end.is_some() {
        println!("{outcome}");
    }
    assert!(read * 100 >= made * MIN_READ_PERCENT, "{outcome}");
}

#[expect(clippy::print_stderr, reason = "the test runner shows it with the failure")]
async fn hold(target: &str, input: &[u8], law: &impl AsyncFn(&[u8]) -> Depth) -> Depth {
    match AssertUnwindSafe(law(input)).catch_unwind().await {
        Ok(depth) => depth,
        Err(broken) => {
            let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz");
            let path = folder.join(format!("{target}-{:016x}", rand::random::<u64>()));
            std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, input)).expect("a file");
            eprintln!("{} breaks a law of {target}: {:?}", path.display(), String::from_utf8_lossy(input));
            std::panic::resume_unwind(broken);
        }
    }
}

/// What the repository keeps for a target, in the order of the names.
fn stored(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fuzz/corpus").join(target);
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("a file")).collect()
}

/// The routes of a service in this process. To make them takes longer than many a request.
fn routes(service: &Service) -> Router {
    http::router(service.app.clone(), behind_a_proxy())
}

/// Sends a request; returns the status and the body. The service never fails.
async fn answer(routes: &Router, mut request: Request<Body>) -> (u16, String) {
    request.headers_mut().entry(header::HOST).or_insert(HeaderValue::from_static("films.example"));
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 50_000))));
    let response = routes.clone().oneshot(request).await.expect("an answer");
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    let body = String::from_utf8_lossy(&body).into_owned();
    assert!(status < 500, "{status}: {body}");
    (status, body)
}

/// Chance that can be repeated (`SplitMix64`).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below the bound, which is not 0.
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("below a usize")
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// A part of some bytes, which may be empty.
    fn range(&mut self, bytes: &[u8]) -> std::ops::Range<usize> {
        let start = self.below(bytes.len() + 1);
        let most = (bytes.len() - start).min(64);
        start..start + self.below(most + 1)
    }

    fn mutate(&mut self, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        match self.below(16) {
            0..7 => self.mutate_bytes(input, corpus),
            7..9 => self.mutate_lines(input),
            _ => self.mutate_words(input, corpus),
        }
    }

    /// Breaks the form of an input, most of the time.
    fn mutate_bytes(&mut self, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let place = self.below(input.len() + 1);
        match self.below(7) {
            0 if place < input.len() => input[place] ^= 1 << self.below(8),
            1 => {
                let range = self.range(input);
                input.drain(range);
            }
            2 => {
                let range = self.range(input);
                let part = input[range].to_vec();
                input.splice(place..place, part.repeat(1 + self.below(8)));
            }
            3 => {
                let other = self.pick(corpus).clone();
                let range = self.range(&other);
                input.splice(place..place, other[range].iter().copied());
            }
            4 => input.truncate(place),
            5 => {
                let byte = self.next().to_le_bytes()[0];
                input.insert(place, byte);
            }
            _ => {
                let token = *self.pick(&TOKENS);
                input.splice(place..place, token.iter().copied());
            }
        }
    }

    /// Leaves each line as it is: one comes twice, not at all, or elsewhere.
    fn mutate_lines(&mut self, input: &mut Vec<u8>) {
        let mut lines: Vec<&[u8]> = input.split_inclusive(|byte| *byte == b'\n').collect();
        if lines.is_empty() {
            return;
        }
        let (from, to) = (self.below(lines.len()), self.below(lines.len()));
        match self.below(3) {
            0 => lines.swap(from, to),
            1 => lines.insert(to, lines[from]),
            _ => drop(lines.remove(from)),
        }
        *input = lines.concat();
    }

    /// Leaves what is between words and numbers: one of them becomes another.
    fn mutate_words(&mut self, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let mut parts = parts(input);
        let words: Vec<usize> = (0..parts.len()).filter(|at| is_word(parts[*at][0])).collect();
        if words.is_empty() {
            return;
        }
        let at = *self.pick(&words);
        let others: Vec<&[u8]> =
            self::parts(self.pick::<Vec<u8>>(corpus)).into_iter().filter(|part| is_word(part[0])).collect();
        let mut edited = parts[at].to_vec();
        let place = self.below(edited.len());
        parts[at] = match self.below(4) {
            0 => *self.pick(&NUMBERS),
            1 if !others.is_empty() => *self.pick(&others),
            2 => *self.pick(&words.iter().map(|at| parts[*at]).collect::<Vec<_>>()),
            _ => {
                edited[place] = *self.pick(b"0123456789abcxyzABCXYZ");
                &edited
            }
        };
        *input = parts.concat();
    }
}

/// Words and numbers, and what is between them.
fn parts(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.chunk_by(|a, b| is_word(*a) == is_word(*b)).collect()
}

/// Whether a byte belongs to a word or a number, of what script ever.
const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii()
}
