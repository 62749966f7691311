//! The words of all titles, kept in memory to be searched with an automaton.
//!
//! Each instance has its own. It is read from the database once and follows the log of changes from
//! there: a search first adds the words of what was changed since the last one. Words that stand in no
//! title any more stay; they find nothing.

use std::sync::Arc;

use fst::{Automaton, IntoStreamer, SetBuilder, Streamer};
use tokio::sync::Mutex;

use super::{Error, log};
use crate::{
    db::{
        Conn, Db, DbError, changes,
        words::{self, Stretch},
    },
    domain::Typed,
};

/// Words that are read in one go.
const PIECE: usize = 10_000;
/// Words that are added before they become part of the large set, which costs as much as that is large.
const MOST_ADDED: usize = 10_000;

/// Stretches of words that are looked for: many more than any language has near to one word, and few enough
/// for the parameters of a query.
const MOST_STRETCHES: usize = 2000;

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

/// The words that are near to a typed one.
#[derive(Default)]
pub(super) struct Near {
    /// All of them, by the shortest beginnings that are near enough.
    pub(super) all: Vec<Stretch>,
    /// Those to which none is nearer.
    pub(super) nearest: Vec<Stretch>,
}

impl Vocabulary {
    /// The words of everything that is committed. Only within [`Db::run_blocking`].
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
        let last = log::last(conn).await?;
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
        let Some(new) = log::since(conn, self.last).await? else { return Ok(false) };
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

    /// The words that are near to a typed one.
    pub(super) fn near(&self, typed: &Typed) -> Near {
        let mut near = Near::default();
        let Some(automaton) = typed.automaton() else {
            near.all.push(Stretch::beginning_with(typed.as_str()));
            near.nearest.push(Stretch::only(typed.as_str()));
            return near;
        };
        let mut least = None;
        for set in &self.0 {
            let mut words = set.search(automaton.starts_with()).into_stream();
            let mut beginning: Option<String> = None;
            while let Some(word) = words.next() {
                let word = String::from_utf8_lossy(word);
                let nearness = typed.nearness(&word);
                if least.is_none() || nearness < least {
                    least = nearness;
                    near.nearest.clear();
                }
                if nearness == least {
                    near.nearest.push(Stretch::only(&word));
                }
                // Words that begin alike follow each other.
                if beginning.as_ref().is_none_or(|beginning| !word.starts_with(beginning)) {
                    beginning = typed.beginning(&word).map(str::to_owned);
                    near.all.extend(beginning.as_deref().map(Stretch::beginning_with));
                }
            }
        }
        for words in [&mut near.all, &mut near.nearest] {
            words.sort_unstable();
            words.dedup();
            words.truncate(MOST_STRETCHES);
        }
        near
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
