//! Tests of the file format.

use std::io;

use super::*;
use crate::domain::{
    Attributes, ChangeId, ChangeKind, Movie, MovieFormat, MovieId, Role, Time, Title, TokenId, TokenName,
    UserId, UserName,
};

fn entries() -> Vec<Entry> {
    let time = Time::from_millis(1_795_464_900_123);
    let (change, user) = (ChangeId::from_stored(1), UserId::from_stored(2));
    let movie = |id, version| {
        let attributes = Attributes {
            title: Title::parse("Amélie").unwrap(),
            movie_format: MovieFormat::Dvd,
            length: 122.try_into().unwrap(),
            release_year: 2001.try_into().unwrap(),
            rating: 5.try_into().unwrap(),
        };
        let id = MovieId::from_stored(id);
        Made { change, movie: Movie { id, attributes, version, created_at: time, updated_at: time } }
    };
    let (by, via, kind) = ("olivia".to_owned(), "password".to_owned(), ChangeKind::Batch);
    vec![
        Entry::User(User {
            id: user,
            name: UserName::parse("olivia").unwrap(),
            role: Role::Owner,
            password_hash: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$Q0N7VhgI6HFOtvUUBEHhMA".to_owned(),
            created_at: time,
        }),
        Entry::Token(Token {
            id: TokenId::from_stored(1),
            user_id: user,
            name: TokenName::parse("laptop").unwrap(),
            role: Role::Viewer,
            secret_hash: "hash".to_owned(),
            created_at: time,
            expires_at: Some(time),
            narrowed: true,
        }),
        Entry::Change(Change { id: change, at: time, by, via, kind, movies: 2, undoes: None }),
        Entry::Movie(movie(3, 2)),
        Entry::MovieVersion(movie(3, 1)),
        Entry::Deletion(Deletion {
            change,
            movie_id: MovieId::from_stored(4),
            version: 2,
            created_at: time,
            updated_at: time,
        }),
    ]
}

fn file(entries: &[Entry]) -> Vec<u8> {
    file_in(FORMAT, entries)
}

fn file_in(format: u64, entries: &[Entry]) -> Vec<u8> {
    let header = Header {
        reelshelf_backup: format,
        created_at: Time::from_millis(0),
        program: "0.1.0".to_owned(),
        last_ids: LastIds {
            movies: MovieId::from_stored(4),
            changes: ChangeId::from_stored(1),
            users: UserId::from_stored(2),
            tokens: TokenId::from_stored(1),
        },
    };
    let mut writer = Writer::new(Vec::new(), &header).unwrap();
    for entry in entries {
        writer.write(entry).unwrap();
    }
    writer.finish().unwrap().0
}

fn read(file: &[u8]) -> Result<Vec<String>, Unusable> {
    let text = |entry: Entry| serde_json::to_string(&entry).expect("JSON");
    Reader::open(io::Cursor::new(file))?.map(|entry| entry.map(text)).collect()
}

#[test]
fn what_was_written_is_read() {
    let all = read(&file(&entries())).unwrap();
    let expected: Vec<_> = entries().iter().map(|e| serde_json::to_string(e).unwrap()).collect();
    assert_eq!(all, expected);
    assert_eq!(read(&file(&[])).unwrap(), [""; 0]);
}

#[test]
fn format_1_tells_by_the_roles_which_tokens_were_narrowed() {
    let narrowed = |format, role| {
        let mut entries = entries();
        let Entry::Token(token) = &mut entries[1] else { panic!("a token") };
        (token.role, token.narrowed) = (role, false);
        let tokens = Reader::open(io::Cursor::new(file_in(format, &entries))).unwrap();
        tokens.map(Result::unwrap).any(|entry| matches!(entry, Entry::Token(token) if token.narrowed))
    };
    assert!(narrowed(1, Role::Viewer) && narrowed(1, Role::Editor), "the user is an owner");
    assert!(!narrowed(1, Role::Owner) && !narrowed(2, Role::Viewer));
}

#[test]
fn whatever_bit_is_changed_it_is_refused() {
    let whole = file(&entries());
    for place in 0..whole.len() {
        for bit in 0..8 {
            let mut damaged = whole.clone();
            damaged[place] ^= 1 << bit;
            assert!(read(&damaged).is_err(), "{place}, {bit}");
        }
    }
}

#[test]
fn what_was_cut_off_or_goes_on_is_refused() {
    let whole = file(&entries());
    for length in 0..whole.len() {
        assert!(read(&whole[..length]).is_err(), "{length}");
    }
    assert!(read(&[&whole[..], b"x"].concat()).is_err());
    assert!(read(&[&whole[..], &whole].concat()).is_err());
}

#[test]
fn rows_come_in_their_order_alone() {
    for n in 1..entries().len() {
        let mut swapped = entries();
        swapped.swap(n - 1, n);
        assert!(read(&file(&swapped)).is_err(), "{n}");
        let mut twice = entries();
        twice.insert(n, entries().swap_remove(n - 1));
        assert!(read(&file(&twice)).is_err(), "{n}");
    }
}
