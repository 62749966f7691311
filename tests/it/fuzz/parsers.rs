//! What reads bytes without a service: JSON, cursors, the files of an import.

use std::io::Cursor as Bytes;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reelshelf::{
    documents::{Choice, Source},
    domain::{Attributes, Cursor, Length, Movie, MovieFormat, MovieId, MoviePatch, Rating, Sort, Time},
    exchange::{FileKind, Format, ImportOptions, Rows, table, write_movies},
    json::{self, JsonValue},
};
use serde_json::Value;

use super::{Depth, fuzz};
use crate::support::films::attributes_of;

fn movie(attributes: Attributes) -> Movie {
    let at = Time::from_millis(0);
    Movie { id: MovieId::from_stored(1), attributes, version: 1, created_at: at, updated_at: at }
}

#[tokio::test]
async fn a_movie_that_is_taken_as_json_is_the_same_when_it_is_written_and_read_again() {
    let seeds = [
        &br#"{"title":"Heat","movieFormat":"DVD","length":170,"releaseYear":1995,"rating":5}"#[..],
        b"{\"rating\":1.0,\"title\":\"\\u0041\\ud83d\\ude00\",\"length\":0,\"releaseYear\":18e2,\"movieFormat\":\"VHS\"}",
    ]
    .map(<[u8]>::to_vec);
    fuzz("json", &seeds, async |input| {
        let Ok(node) = JsonValue::parse(input) else { return Depth::Refused };
        let _ = (node.to_string(), json::movie_patch(&node, "/changes"));
        let Ok(attributes) = json::attributes(&node, "") else { return Depth::Read };
        let written = serde_json::to_value(movie(attributes.clone())).expect("JSON");
        let again = JsonValue::parse(attributes_of(&written).to_string().as_bytes()).expect("JSON");
        assert_eq!(json::attributes(&again, "").expect("a movie"), attributes);
        Depth::Accepted
    })
    .await;
}

#[tokio::test]
async fn a_cursor_that_is_taken_is_the_same_when_it_is_written_and_read_again() {
    let film = JsonValue::parse(
        br#"{"title":"Heat","movieFormat":"DVD","length":170,"releaseYear":1995,"rating":5}"#,
    );
    let film = movie(json::attributes(&film.expect("JSON"), "").expect("a movie"));
    let sorts =
        ["id", "title", "-rating,title", "-createdAt,length"].map(|text| Sort::parse(text).expect("a sort"));
    let cursors = sorts.iter().map(|sort| Cursor::after(&film, sort).encode(sort));
    let seeds: Vec<_> = cursors.flat_map(|cursor| [decoded(&cursor), cursor.into_bytes()]).collect();
    // Each input is tried as it is and as what a cursor encodes.
    fuzz("cursor", &seeds, async |input| {
        let mut depth =
            if serde_json::from_slice::<Value>(input).is_ok() { Depth::Read } else { Depth::Refused };
        for text in [String::from_utf8_lossy(input).into_owned(), URL_SAFE_NO_PAD.encode(input)] {
            for sort in &sorts {
                if let Ok(cursor) = Cursor::decode(&text, sort) {
                    assert_eq!(Cursor::decode(&cursor.encode(sort), sort).expect("a cursor"), cursor);
                    depth = Depth::Accepted;
                }
            }
        }
        depth
    })
    .await;
}

/// What a cursor encodes.
fn decoded(cursor: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(cursor).expect("Base64")
}

/// The files of `tests/it/exchange/files`, and some lines of the service's own forms.
fn files() -> Vec<Vec<u8>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/exchange/files");
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let mut files: Vec<_> = paths.iter().map(|path| std::fs::read(path).expect("a file")).collect();
    files.push(b"title,movieFormat,length,releaseYear,rating\nHeat,DVD,170,1995,5\n\"A \"\"B\"\", C\",VHS,0,1800,1\n".to_vec());
    files.push(
        b"{\"title\":\"Heat\",\"movieFormat\":\"DVD\",\"length\":170,\"releaseYear\":1995,\"rating\":5}\n"
            .to_vec(),
    );
    files
}

#[tokio::test]
async fn what_an_import_takes_is_the_same_when_it_is_exported_and_imported_again() {
    let defaults = MoviePatch {
        movie_format: Some(MovieFormat::Dvd),
        length: Some(Length::try_from(90).expect("a length")),
        rating: Some(Rating::try_from(3).expect("a rating")),
        ..MoviePatch::default()
    };
    // Its ratings name films by numbers of another file, so no film can be made of them alone.
    let (alone, seeds): (Vec<_>, Vec<_>) =
        files().into_iter().partition(|file| file.starts_with(b"userId,movieId,rating"));
    assert_eq!(alone.len(), 1);
    let read = |file: &[u8], kind, options: &ImportOptions| {
        let mut rows = Rows::open(Bytes::new(file.to_vec()), kind, options).ok()?;
        let mut report = rows.report();
        let mut movies = Vec::new();
        while let Some(row) = rows.next_movie(&mut report).ok()? {
            movies.push(movie(row.attributes));
        }
        assert!(movies.len() as u64 + report.failed <= report.read, "{report:?}");
        Some(movies)
    };
    fuzz("import", &seeds, async |input| {
        let _ = (FileKind::sniff(input), table(Bytes::new(input.to_vec()), None));
        let mut depth = Depth::Refused;
        for source in Source::ALL {
            let options =
                ImportOptions { source: *source, defaults: defaults.clone(), ..ImportOptions::default() };
            for kind in [FileKind::Csv, FileKind::Ndjson] {
                let Some(movies) = read(input, kind, &options) else { continue };
                depth = depth.max(if movies.is_empty() { Depth::Read } else { Depth::Accepted });
                for (format, kind) in [(Format::Csv, FileKind::Csv), (Format::Ndjson, FileKind::Ndjson)] {
                    let mut export = format.opening().into_bytes();
                    write_movies(format, &movies, true, &mut export);
                    assert_eq!(read(&export, kind, &ImportOptions::default()).expect("a file"), movies);
                }
            }
        }
        depth
    })
    .await;
}
