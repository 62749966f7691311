//! Range checks for a restore: values that the service never writes would make it fail later.

use argon2::password_hash::phc::PasswordHash;

use super::{Change, Deletion, Entry, Header, LastIds, Made, Token, User};
use crate::{
    domain::{ChangeId, Time},
    limits::MAX_RESTORED_NUMBER,
};

/// The maximum Argon2id parameters accepted: a multiple of those that this program uses.
const MAX_ARGON2_KIB: u32 = 64 * 1024;
const MAX_ARGON2_PASSES: u32 = 10;
const MAX_ARGON2_LANES: u32 = 4;

/// Checks the numbers in the header.
///
/// # Errors
/// The name of the value that is out of range.
pub fn check_header(header: &Header) -> Result<(), String> {
    let LastIds { movies, changes, users, tokens } = header.last_ids;
    for (name, id) in [
        ("movies", movies.get()),
        ("changes", changes.get()),
        ("users", users.get()),
        ("tokens", tokens.get()),
    ] {
        within(&format!("the last id of {name}"), id, 0)?;
    }
    time("createdAt", header.created_at)
}

/// Checks the numbers of a row, except its own id.
///
/// # Errors
/// The name of the value that is out of range.
pub fn check(entry: &Entry, ids: LastIds) -> Result<(), String> {
    match entry {
        Entry::User(User { password_hash, created_at, .. }) => {
            time("createdAt", *created_at)?;
            argon2(password_hash)
        }
        Entry::Token(Token { created_at, expires_at, .. }) => {
            time("createdAt", *created_at)?;
            expires_at.map_or(Ok(()), |at| time("expiresAt", at))
        }
        Entry::Change(Change { id, at, movies, undoes, .. }) => {
            time("at", *at)?;
            within("movies", *movies, 0)?;
            match undoes {
                Some(undone) if !(ChangeId::from_stored(1)..*id).contains(undone) => {
                    Err(format!("undoes must be a change before this one, got {undone}"))
                }
                _ => Ok(()),
            }
        }
        Entry::Movie(Made { change, movie }) | Entry::MovieVersion(Made { change, movie }) => {
            made_by(*change, ids)?;
            version(movie.version)?;
            time("createdAt", movie.created_at)?;
            time("updatedAt", movie.updated_at)
        }
        Entry::Deletion(Deletion { change, version: of, created_at, updated_at, .. }) => {
            made_by(*change, ids)?;
            version(*of)?;
            time("createdAt", *created_at)?;
            time("updatedAt", *updated_at)
        }
    }
}

fn within(what: &str, number: i64, least: i64) -> Result<(), String> {
    if number < least || u64::try_from(number).is_ok_and(|number| number > MAX_RESTORED_NUMBER) {
        return Err(format!("{what} must be between {least} and {MAX_RESTORED_NUMBER}, got {number}"));
    }
    Ok(())
}

/// The version leaves room for later ones. The database checks that the first is 1.
fn version(version: i64) -> Result<(), String> {
    if u64::try_from(version).is_ok_and(|version| version > MAX_RESTORED_NUMBER) {
        return Err(format!("version must be at most {MAX_RESTORED_NUMBER}, got {version}"));
    }
    Ok(())
}

fn made_by(change: ChangeId, ids: LastIds) -> Result<(), String> {
    if !(ChangeId::BEFORE_ALL..=ids.changes).contains(&change) {
        return Err(format!("change must be between 0 and the last one, {}, got {change}", ids.changes));
    }
    Ok(())
}

/// The time has a year that other programs can read (RFC 3339).
fn time(what: &str, time: Time) -> Result<(), String> {
    if time.as_millis() < 0 {
        return Err(format!("{what} must not be before 1970, got {time}"));
    }
    Ok(())
}

/// Verifying the password must not take more memory or time than this program allows.
fn argon2(hash: &str) -> Result<(), String> {
    let refused = |reason: &str| Err(format!("the password's hash {reason}"));
    let Ok(hash) = PasswordHash::new(hash) else { return refused("cannot be read") };
    if hash.algorithm.as_str() != "argon2id" || hash.version != Some(0x13) {
        return refused("is not Argon2id, version 19");
    }
    for (name, most) in [("m", MAX_ARGON2_KIB), ("t", MAX_ARGON2_PASSES), ("p", MAX_ARGON2_LANES)] {
        match hash.params.get_decimal(name) {
            Some(value) if (1..=most).contains(&value) => {}
            Some(value) => {
                return refused(&format!("has {name}={value}, which must be between 1 and {most}"));
            }
            None => return refused(&format!("does not say {name}")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{MovieId, TokenId, UserId};

    const OURS: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$Q0N7VhgI6HFOtvUUBEHhMG0zVyx8cKp36bhhSpZlLRs";

    #[test]
    fn a_number_is_within_its_bounds_on_either_side() {
        let most = i64::try_from(MAX_RESTORED_NUMBER).unwrap();
        for (number, is_within) in
            [(-1, false), (0, true), (most, true), (most + 1, false), (i64::MAX, false)]
        {
            assert_eq!(within("it", number, 0).is_ok(), is_within, "{number}");
        }
        let ids = LastIds {
            movies: MovieId::BEFORE_ALL,
            changes: ChangeId::from_stored(7),
            users: UserId::BEFORE_ALL,
            tokens: TokenId::BEFORE_ALL,
        };
        for (change, is_known) in [(-1, false), (0, true), (7, true), (8, false)] {
            assert_eq!(made_by(ChangeId::from_stored(change), ids).is_ok(), is_known, "{change}");
        }
        assert!(version(most).is_ok() && version(most + 1).is_err());
        assert!(time("it", Time::from_millis(0)).is_ok() && time("it", Time::from_millis(-1)).is_err());
    }

    #[test]
    fn parameters_of_argon2_are_within_their_bounds_on_either_side() {
        assert_eq!(argon2(OURS), Ok(()));
        for (from, to, is_taken) in [
            ("m=19456", "m=65536", true),
            ("m=19456", "m=65537", false),
            ("m=19456", "m=4194304", false),
            ("t=2", "t=10", true),
            ("t=2", "t=11", false),
            ("t=2", "t=0", false),
            ("p=1", "p=4", true),
            ("p=1", "p=5", false),
            ("m=19456,", "", false),
            ("argon2id", "argon2i", false),
            ("argon2id", "scrypt", false),
            ("v=19", "v=16", false),
            ("v=19$", "", false),
            ("$argon2id", "argon2id", false),
        ] {
            let hash = OURS.replacen(from, to, 1);
            assert_eq!(argon2(&hash).is_ok(), is_taken, "{hash}");
            assert!(!argon2(&hash).is_err_and(|reason| reason.contains("Q0N7VhgI")), "no hash in an error");
        }
    }
}
