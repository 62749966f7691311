//! What reads bytes without a service: JSON, cursors, the files of an import, backups.

use std::io::Cursor as Bytes;

use reelshelf::{
    backup,
    domain::{Attributes, Changes, Cursor, Length, Movie, MovieFormat, Rating, Sort, Time},
    exchange::{FileKind, Format, ImportOptions, Rows, Source, columns, to_bytes},
    json::{self, Node},
};

use super::fuzz;
use crate::{
    on_both,
    support::{Kind, films::attributes_of, program::run},
};

fn movie(attributes: Attributes) -> Movie {
    let at = Time::from_millis(0);
    Movie { id: 1, attributes, version: 1, created_at: at, updated_at: at }
}

#[tokio::test]
async fn a_movie_that_is_taken_as_json_is_the_same_when_it_is_written_and_read_again() {
    fuzz("json", &[], async |input| {
        let Ok(node) = Node::parse(input) else { return };
        let _ = (node.to_string(), json::changes(&node, "/changes"));
        let Ok(attributes) = json::attributes(&node, "") else { return };
        let written = serde_json::to_value(movie(attributes.clone())).expect("JSON");
        let again = Node::parse(attributes_of(&written).to_string().as_bytes()).expect("JSON");
        assert_eq!(json::attributes(&again, "").expect("a movie"), attributes);
    })
    .await;
}

#[tokio::test]
async fn a_cursor_that_is_taken_is_the_same_when_it_is_written_and_read_again() {
    let film =
        Node::parse(br#"{"title":"Heat","movieFormat":"DVD","length":170,"releaseYear":1995,"rating":5}"#);
    let film = movie(json::attributes(&film.expect("JSON"), "").expect("a movie"));
    let sorts =
        ["id", "title", "-rating,title", "-createdAt,length"].map(|text| Sort::parse(text).expect("a sort"));
    let seeds: Vec<_> =
        sorts.iter().map(|sort| Cursor::after(&film, sort).encode(sort).into_bytes()).collect();
    fuzz("cursor", &seeds, async |input| {
        let Ok(text) = str::from_utf8(input) else { return };
        for sort in &sorts {
            if let Ok(cursor) = Cursor::decode(text, sort) {
                assert_eq!(Cursor::decode(&cursor.encode(sort), sort).expect("a cursor"), cursor);
            }
        }
    })
    .await;
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
    let defaults = Changes {
        movie_format: Some(MovieFormat::Dvd),
        length: Some(Length::try_from(90).expect("a length")),
        rating: Some(Rating::try_from(3).expect("a rating")),
        ..Changes::default()
    };
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
    fuzz("import", &files(), async |input| {
        let _ = (FileKind::sniff(input), columns(Bytes::new(input.to_vec())));
        for source in Source::ALL {
            let options =
                ImportOptions { source: *source, defaults: defaults.clone(), ..ImportOptions::default() };
            for kind in [FileKind::Csv, FileKind::Ndjson] {
                let Some(movies) = read(input, kind, &options) else { continue };
                for (format, kind) in [(Format::Csv, FileKind::Csv), (Format::Ndjson, FileKind::Ndjson)] {
                    let export = [format.opening().into_bytes(), to_bytes(format, &movies, true)].concat();
                    assert_eq!(read(&export, kind, &ImportOptions::default()).expect("a file"), movies);
                }
            }
        }
    })
    .await;
}

on_both! {
    async fn a_backup_is_read_to_its_end_only_as_it_was_written(service: &Service) {
        service.add("Heat", "DVD", 170, 1995, 5).await;
        service.patch("/movie/1", &serde_json::json!({"rating": 4})).await;
        service.delete("/movie/1").await;
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("films.backup");
        run(&service.database, &["backup", file.to_str().expect("text")], "").expect(0);
        let whole = std::fs::read(&file).expect("a backup");
        let seeds = [whole.clone(), whole[..whole.len() / 2].to_vec()];
        fuzz(if service.database.kind == Kind::Sqlite { "backup" } else { "backup-postgres" }, &seeds, async |input| {
            let Ok(reader) = backup::Reader::open(Bytes::new(input.to_vec())) else { return };
            let rows: Result<Vec<_>, _> = reader.collect();
            assert!(rows.is_err() || input == whole, "a file is taken that was not written so");
        }).await;
    }
}
