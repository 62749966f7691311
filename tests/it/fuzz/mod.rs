//! Fuzz tests: inputs derived from a corpus, checked against properties that always hold.
//!
//! `make test` runs the corpus and some hundred derived inputs, the same each time. With
//! `REELSHELF_FUZZ_SECONDS` each target runs for this time, with another random seed each time:
//!
//! ```sh
//! REELSHELF_FUZZ_SECONDS=600 cargo test --test it fuzz::
//! ```
//!
//! A failing input is written to `target/tmp/fuzz/`. Add it to the target's folder of `corpus/` and fix the
//! fault.

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

/// The number of derived inputs without a time.
const INPUTS: usize = 300;
/// The maximum size of an input, in bytes.
const MAX_BYTES: usize = 16 * 1024;
/// The minimum share of derived inputs that must be parsed.
const MIN_READ_PERCENT: usize = 15;

/// Numbers that replace others.
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

/// Tokens that are inserted into inputs of all targets.
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

/// How far an input was processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Depth {
    /// Its outer form was rejected: an encoding, a header, a frame.
    Refused,
    /// It was parsed, and a part of it was rejected.
    Read,
    /// It was accepted.
    Accepted,
}

/// Checks a property for the corpus, the seeds and inputs derived from both; the property panics if it does
/// not hold. Seeds must be accepted, and enough derived inputs must be parsed: a target that rejects
/// everything tests nothing.
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
        // One mutation in half of all cases, two in a quarter, and so on.
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

/// Returns the corpus of a target, by name.
fn stored(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fuzz/corpus").join(target);
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("a file")).collect()
}

/// Returns the routes of a service. Building them takes longer than many requests.
fn routes(service: &Service) -> Router {
    http::router(service.app.clone(), behind_a_proxy())
}

/// Sends a request. Returns status and body. The service must never fail.
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

/// A reproducible random generator (`SplitMix64`).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below the bound, which must not be 0.
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("below a usize")
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// Returns a range within some bytes, possibly empty.
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

    /// Mutates bytes, which usually breaks the form.
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

    /// Duplicates, removes or moves a line.
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

    /// Replaces a word or number.
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

/// Splits words, numbers and what is between them.
fn parts(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.chunk_by(|a, b| is_word(*a) == is_word(*b)).collect()
}

/// Returns whether a byte belongs to a word or number of any script.
const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii()
}
