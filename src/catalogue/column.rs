//! Paged storage of the catalogue: a column holds one value a slot; titles and sort keys are in a text arena.

use std::ops::{Index, IndexMut};

/// The index of a movie in every column. The slot of a deleted movie is reused.
pub(super) type Slot = u32;

/// Values by slot in pages of a fixed size. Growth adds a page, so it never copies the whole column.
pub(super) struct Column<T> {
    pages: Vec<Box<[T; PAGE_VALUES]>>,
    len: usize,
}

/// Values in a page.
pub(super) const PAGE_VALUES: usize = PAGE_SLOTS as usize;
/// The same as a slot number.
pub(super) const PAGE_SLOTS: Slot = 4096;

impl<T> Default for Column<T> {
    fn default() -> Self {
        Self { pages: Vec::new(), len: 0 }
    }
}

impl<T: Clone + Default> Column<T> {
    /// Returns a column of `len` default values.
    pub(super) fn of_len(len: usize) -> Self {
        Self { pages: std::iter::repeat_with(Self::page).take(len.div_ceil(PAGE_VALUES)).collect(), len }
    }

    #[expect(clippy::unnecessary_box_returns, reason = "an array on the way would be copied")]
    fn page() -> Box<[T; PAGE_VALUES]> {
        vec![T::default(); PAGE_VALUES].try_into().unwrap_or_else(|_| unreachable!("it has as many values"))
    }

    /// Sets the value of a slot. The slot is in use, or is the next new one.
    pub(super) fn set(&mut self, slot: Slot, value: T) {
        if slot as usize == self.len {
            if self.len.is_multiple_of(PAGE_VALUES) {
                self.pages.push(Self::page());
            }
            self.len += 1;
        }
        self[slot] = value;
    }

    /// Iterates over the pages. Unused values at the end of the last page are the default.
    pub(super) fn pages(&self) -> impl Iterator<Item = &[T; PAGE_VALUES]> {
        self.pages.iter().map(AsRef::as_ref)
    }
}

impl<T> Column<T> {
    pub(super) fn len(&self) -> usize {
        self.len
    }
}

impl<T> Index<Slot> for Column<T> {
    type Output = T;

    fn index(&self, slot: Slot) -> &T {
        &self.pages[slot as usize / PAGE_VALUES][slot as usize % PAGE_VALUES]
    }
}

impl<T> IndexMut<Slot> for Column<T> {
    fn index_mut(&mut self, slot: Slot) -> &mut T {
        &mut self.pages[slot as usize / PAGE_VALUES][slot as usize % PAGE_VALUES]
    }
}

/// The location of a title in the arena; its sort key follows directly.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TextRef {
    page: u16,
    start: u16,
    title_bytes: u16,
    key_bytes: u16,
}

/// An arena of titles and sort keys, in pages. A removed text leaves a gap until the arena is compacted.
#[derive(Default)]
pub(super) struct Texts {
    pages: Vec<String>,
    gap_bytes: usize,
}

/// Bytes in a page of the arena: the range of a `u16` offset.
const PAGE_BYTES: usize = 1 << 16;
/// The arena is compacted when its gaps exceed both this size and the size of the texts in use.
const MAX_GAP_BYTES: usize = 1 << 20;

impl Texts {
    /// Stores a title and its sort key.
    ///
    /// # Panics
    /// If the text is longer than any valid title, or if the arena would exceed 4 GiB.
    pub(super) fn push(&mut self, title: &str, key: &str) -> TextRef {
        let bytes = title.len() + key.len();
        if self.pages.last().is_none_or(|page| page.len() + bytes > PAGE_BYTES) {
            self.pages.push(String::with_capacity(PAGE_BYTES));
        }
        let number = |number: usize| u16::try_from(number).expect("texts are short and fit 65,536 pages");
        let page = number(self.pages.len() - 1);
        let texts = &mut self.pages[usize::from(page)];
        let start = number(texts.len());
        texts.push_str(title);
        texts.push_str(key);
        TextRef { page, start, title_bytes: number(title.len()), key_bytes: number(key.len()) }
    }

    /// Marks a text as unused. Returns whether the arena should be compacted by storing all texts anew.
    pub(super) fn remove(&mut self, text: TextRef) -> bool {
        self.gap_bytes += usize::from(text.title_bytes) + usize::from(text.key_bytes);
        self.gap_bytes > MAX_GAP_BYTES && self.gap_bytes * 2 > self.pages.len() * PAGE_BYTES
    }

    pub(super) fn title(&self, text: TextRef) -> &str {
        let start = usize::from(text.start);
        self.text(text, start, start + usize::from(text.title_bytes))
    }

    pub(super) fn key(&self, text: TextRef) -> &str {
        let start = usize::from(text.start) + usize::from(text.title_bytes);
        self.text(text, start, start + usize::from(text.key_bytes))
    }

    fn text(&self, text: TextRef, start: usize, end: usize) -> &str {
        &self.pages[usize::from(text.page)][start..end]
    }
}
