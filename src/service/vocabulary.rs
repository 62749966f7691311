//! The words of all titles, kept in memory to be searched with an automaton.
//!
//! Each instance has its own. It is read from the database once and follows the log of changes from
//! there: a search first adds the words of what was changed since the last one. Words that stand in no
//! title any more stay; they find nothing.

use std::sync::Arc;

use fst::{Automaton, IntoStreamer, SetBuilder, Streamer};
use tokio::sync::Mutex;

use super::Error;
use crate::{
    db::{Conn, Db, DbError, changes, words},
    domain::Typed,
};

/// Words that are read in one go.
const PIECE: usize = 10_000;
/// Beyond so many changes, or movies that they touched, all words are read anew.
const MOST_CHANGES: usize = 1000;
const MOST_MOVIES: i64 = 5000;
/// Words that are added before they become part of the large set, which costs as much as that is large.
const MOST_ADDED: usize = 10_000;

type Set = fst::Set<Vec<u8>>;

/// The words as far as they are known; nothing before they are asked for.
#[derive(Default)]
pub(super) struct Vocabulary(Mutex<Option<Known>>);

struct Known {
    /// The last change that is accounted for; none where the log was empty.
    last: Option<changes::Logged>,
    words: Words,
}

/// The words of titles at one moment: those that were read at first, and those that were added.
#[derive(Clone)]
pub(super) struct Words([Arc<Set>; 2]);

impl Vocabulary {
    /// The words of everything that is committed. Only within [`Db::long`].
    pub(super) async fn words(&self, db: &Db) -> Result<Words, Error> {
        // Whoever comes meanwhile needs the same.
        let mut known = self.0.lock().await;
        let mut conn = db.read().await?;
        let follows = match known.as_mut() {
            Some(known) => known.follow(&mut conn).await?,
            None => false,
        };
        if !follows {
            *known = None; // not two of them in memory
        }
        let known = match &mut *known {
            Some(known) => known,
            nothing => nothing.insert(Known::read(&mut conn).await?),
        };
        Ok(known.words.clone())
    }
}

impl Known {
    async fn read(conn: &mut Conn) -> Result<Self, Error> {
        // The place comes before the words, so that nothing is missing between them.
        let end = changes::end(conn).await?;
        let last = changes::from(conn, end, 1).await?.into_iter().find(|change| change.settled);
        let mut builder = SetBuilder::memory();
        let mut piece = words::behind(conn, "", PIECE).await?;
        while let Some(last) = piece.last() {
            builder.extend_iter(&piece).map_err(failed)?;
            piece = words::behind(conn, last, PIECE).await?;
        }
        Ok(Self { last, words: Words([Arc::new(builder.into_set()), Arc::default()]) })
    }

    /// Adds the words of what was changed since; tells whether that can be known.
    async fn follow(&mut self, conn: &mut Conn) -> Result<bool, Error> {
        let place = self.last.map(|last| last.place).unwrap_or_default();
        let log = changes::from(conn, place, MOST_CHANGES + 1).await?;
        let Some((first, new)) = log.split_first() else { return Ok(self.last.is_none()) };
        // Where the last change is gone, the log was shortened, or the collection replaced.
        if Some(*first) != self.last
            || new.len() == MOST_CHANGES
            || new.iter().map(|change| change.movies).sum::<i64>() > MOST_MOVIES
        {
            return Ok(false);
        }
        if !new.is_empty() {
            let ids: Vec<i64> = new.iter().map(|change| change.id).collect();
            self.words.add(&words::made_by(conn, &ids).await?)?;
            // Those that do not count yet are read again next time, with what may come before them.
            self.last = new.iter().copied().take_while(|change| change.settled).last().or(self.last);
        }
        Ok(true)
    }
}

impl Words {
    /// Adds words, in their order.
    fn add(&mut self, words: &[String]) -> Result<(), Error> {
        let [all, added] = &mut self.0;
        let new: Vec<&String> = words.iter().filter(|word| !all.contains(word)).collect();
        let new = Set::from_iter(new).map_err(failed)?;
        *added = Arc::new(union(added, &new)?);
        if added.len() > MOST_ADDED {
            *all = Arc::new(union(all, added)?);
            *added = Arc::default();
        }
        Ok(())
    }

    /// With what words of titles begin that are near to a typed one: the shortest beginnings, none of
    /// which begins with another.
    pub(super) fn beginnings(&self, typed: &Typed) -> Vec<String> {
        let Some(automaton) = typed.automaton() else { return vec![typed.as_str().to_owned()] };
        let mut beginnings = Vec::new();
        for set in &self.0 {
            let mut words = set.search(automaton.starts_with()).into_stream();
            let mut last: Option<String> = None;
            while let Some(word) = words.next() {
                let word = String::from_utf8_lossy(word);
                if last.as_ref().is_some_and(|last| word.starts_with(last)) {
                    continue;
                }
                last = typed.beginning(&word).map(str::to_owned);
                beginnings.extend(last.clone());
            }
        }
        beginnings.sort_unstable();
        beginnings.dedup();
        beginnings
    }
}

fn union(one: &Set, other: &Set) -> Result<Set, Error> {
    let mut builder = SetBuilder::memory();
    builder.extend_stream(one.op().add(other).union()).map_err(failed)?;
    Ok(builder.into_set())
}

fn failed(error: fst::Error) -> DbError {
    DbError::Failed(Arc::new(error))
}
