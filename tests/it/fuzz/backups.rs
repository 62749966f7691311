//! Backups: the bytes of the file, and its lines, which are also restored.

use std::{io::Cursor as Bytes, path::Path};

use axum::{Router, body::Body, http::Request};
use reelshelf::{
    backup::{Header, Reader, Unusable},
    http::Settings,
    service::{Error, Owner, backup},
};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Depth, answer, fuzz, routes};
use crate::{
    on_both,
    support::{Kind, Service, TestDatabase, program::run},
};

/// The size of the checksum frame, in bytes.
const SEAL_BYTES: usize = 40;
/// Reads of each restored collection.
const PATHS: [&str; 7] =
    ["/movie", "/movie?q=heat&total=true", "/movie/1/history", "/history", "/history/2", "/stats", "/user"];

/// Creates a backup file with these lines.
fn sealed(lines: &[u8]) -> Vec<u8> {
    let mut file = zstd::encode_all(lines, zstd::DEFAULT_COMPRESSION_LEVEL).expect("zstd");
    let digest = Sha256::digest(&file);
    file.extend([0x50, 0x2A, 0x4D, 0x18, 32, 0, 0, 0]); // a frame to be skipped, of 32 bytes
    file.extend(digest);
    file
}

/// Returns the header and the rows of a file.
fn rows(file: &[u8]) -> Result<(Header, Result<Vec<String>, Unusable>), Unusable> {
    let reader = Reader::open(Bytes::new(file))?;
    let header = reader.header().clone();
    Ok((header, reader.map(|row| Ok(serde_json::to_string(&row?).expect("JSON"))).collect()))
}

/// Creates a collection with rows of every kind. Returns its backup and the lines.
async fn backup_of(service: &Service) -> [Vec<u8>; 2] {
    service.add("Heat", "DVD", 170, 1995, 5).await;
    service.add("Amélie", "VHS", 122, 2001, 4).await;
    service.patch("/movie/1", &json!({"rating": 4})).await;
    service.delete("/movie/2").await;
    service.post("/history/4/undo", &json!({})).await;
    service.delete("/movie/2").await;
    let narrow = json!({"name": "narrow", "role": "viewer", "expiresAt": "2027-01-01T00:00:00Z"});
    service.token_as(&service.owner, &narrow).await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("films.backup");
    run(&service.database, &["backup", path.to_str().expect("text")], "").expect(0);
    let file = std::fs::read(&path).expect("a backup");
    let lines = zstd::decode_all(&file[..file.len() - SEAL_BYTES]).expect("zstd");
    [file, lines]
}

/// Restores a valid file and compares the stored data with it.
async fn restore(
    service: &Service,
    routes: &Router,
    folder: &Path,
    file: &[u8],
    rows_read: &[String],
) -> Depth {
    let [path, again] = ["films.backup", "again.backup"].map(|name| folder.join(name));
    std::fs::write(&path, file).expect("a file");
    service.pass_millis(1); // what is replaced is kept under a name that has the time in it
    let restored =
        backup::restore(&service.app, &Owner::console(), &path, true, std::future::pending()).await;
    let restored = match restored {
        Ok(restored) => restored,
        Err(Error::UnreadableFile(_)) => return Depth::Read,
        Err(error) => panic!("a file that is whole is not refused for what is in it: {error:?}"),
    };
    if let Some(replaced) = restored.replaced {
        std::fs::remove_file(replaced).expect("what was there before is kept");
    }
    let made = backup::make(&service.app, &Owner::console(), &again, true, std::future::pending()).await;
    made.expect("what was restored can be backed up");
    let (_, stored) = rows(&std::fs::read(&again).expect("a backup")).expect("a backup");
    assert_eq!(stored.expect("rows"), rows_read, "what was restored is what was read");
    for path in PATHS {
        let request = Request::get(path).header("authorization", format!("Bearer {}", service.owner));
        answer(routes, request.body(Body::empty()).expect("a request")).await;
    }
    Depth::Accepted
}

on_both! {
    async fn a_backup_is_read_only_as_it_was_written_and_restored_as_it_was_read(service: &Service) {
        let [whole, lines] = backup_of(service).await;
        let mut empty =
            Service::empty(TestDatabase::new(service.database.kind).await, Settings::default()).await;
        empty.owner.clone_from(&service.owner);
        let routes = routes(&empty);
        let folder = tempfile::tempdir().expect("a folder");
        let target = if service.database.kind == Kind::Sqlite { "backup" } else { "backup-postgres" };
        fuzz(target, &[whole.clone(), lines], async |input| {
            // As a file.
            if let Ok((_, Ok(rows))) = rows(input) {
                assert!(input == whole, "a file is taken that was not written so: {rows:?}");
                return Depth::Accepted;
            }
            // As the lines of a file.
            let file = sealed(input);
            match rows(&file) {
                Err(_) => Depth::Refused,
                Ok((_, Err(_))) => Depth::Read,
                Ok((_, Ok(rows))) => restore(&empty, &routes, folder.path(), &file, &rows).await,
            }
        }).await;
    }
}
