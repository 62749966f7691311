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

mod parsers;
mod requests;

use std::{
    panic::AssertUnwindSafe,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use futures_util::FutureExt;

/// Inputs that are made for each target where no time is given.
const INPUTS: usize = 300;
/// How long an input can become, in bytes.
const MAX_BYTES: usize = 16 * 1024;

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

/// Holds inputs against a law, which panics where it is broken: those of the corpus, these seeds, and what is
/// made of both.
async fn fuzz(target: &str, seeds: &[Vec<u8>], law: impl AsyncFn(&[u8])) {
    let mut corpus = seeds.to_vec();
    corpus.extend(stored(target));
    assert!(!corpus.is_empty(), "{target} has no corpus");
    for input in &corpus {
        hold(target, input, &law).await;
    }
    let end = std::env::var("REELSHELF_FUZZ_SECONDS")
        .ok()
        .map(|seconds| Instant::now() + Duration::from_secs(seconds.parse().expect("a number of seconds")));
    let mut chance = Chance(if end.is_some() { rand::random() } else { 1 });
    let mut made = 0;
    while end.map_or(made < INPUTS, |end| Instant::now() < end) {
        let mut input = chance.pick(&corpus).clone();
        for _ in 0..=chance.below(4) {
            chance.mutate(&mut input, &corpus);
        }
        input.truncate(MAX_BYTES);
        hold(target, &input, &law).await;
        made += 1;
    }
    #[expect(clippy::print_stdout, reason = "a long run says how much it tried")]
    if end.is_some() {
        println!("{target}: {made} inputs");
    }
}

#[expect(clippy::print_stderr, reason = "the test runner shows it with the failure")]
async fn hold(target: &str, input: &[u8], law: &impl AsyncFn(&[u8])) {
    if let Err(broken) = AssertUnwindSafe(law(input)).catch_unwind().await {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz");
        let path = folder.join(format!("{target}-{:016x}", rand::random::<u64>()));
        std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, input)).expect("a file");
        eprintln!("{} breaks a law of {target}: {:?}", path.display(), String::from_utf8_lossy(input));
        std::panic::resume_unwind(broken);
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
}
