//! A radix trie of words. Words share their common prefixes, so a search can skip whole branches.

/// A map from words to values.
pub(super) struct Trie<T> {
    /// The first node is the root. Unused nodes have no value and no children.
    nodes: Vec<Node<T>>,
    unused: Vec<NodeId>,
}

type NodeId = u32;
const ROOT: NodeId = 0;

struct Node<T> {
    /// The bytes on the edge from the parent. Siblings differ in the first byte.
    label: Box<[u8]>,
    /// The children, sorted by the first bytes of their labels.
    children: Vec<Child>,
    value: Option<T>,
}

/// What rules out most children without a memory access.
struct Child {
    head: Head,
    /// At least the letters of all words below.
    letters: Letters,
    node: NodeId,
}

/// The first bytes of a label, then zeros: no word contains a zero byte.
#[derive(Clone, Copy)]
struct Head([u8; 3]);

impl Head {
    fn of(label: &[u8]) -> Self {
        let mut head = [0; 3];
        head.iter_mut().zip(label).for_each(|(byte, of_label)| *byte = *of_label);
        Self(head)
    }

    fn bytes(&self) -> impl Iterator<Item = &u8> {
        self.0.iter().take_while(|byte| **byte != 0)
    }
}

/// A set of letters. Some letters share a bit.
#[derive(Clone, Copy)]
pub(super) struct Letters(u32);

impl Letters {
    pub(super) fn of(word: &[u8]) -> Self {
        // The last byte stands for a letter in UTF-8: no continuation byte follows it.
        let nexts = word.iter().skip(1).chain([&0]);
        let lasts = word.iter().zip(nexts).filter(|(_, next)| **next & 0xC0 != 0x80);
        Self(lasts.fold(0, |letters, (last, _)| letters | 1 << (last % 32)))
    }

    fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Returns whether all letters but `most` are in another set, at least.
    pub(super) fn are_in(self, other: Self, most: usize) -> bool {
        (0..most).fold(self.0 & !other.0, |missing, _| missing & missing.wrapping_sub(1)) == 0
    }
}

impl<T> Node<T> {
    fn new(label: &[u8]) -> Self {
        Self { label: label.into(), children: Vec::new(), value: None }
    }
}

impl<T> Default for Trie<T> {
    fn default() -> Self {
        Self { nodes: vec![Node::new(b"")], unused: Vec::new() }
    }
}

impl<T> Trie<T> {
    /// Returns the value of a word.
    pub(super) fn get(&self, word: &[u8]) -> Option<&T> {
        let (node, rest) = self.follow(ROOT, word)?;
        self.node(node).value.as_ref().filter(|_| rest.is_empty())
    }

    /// Returns the value of a word, and inserts it if missing.
    pub(super) fn get_or_insert_with(&mut self, word: &[u8], make: impl FnOnce() -> T) -> &mut T {
        let (mut at, mut rest) = (ROOT, word);
        let letters = Letters::of(word);
        while !rest.is_empty() {
            let (node, shared) = match self.child(at, rest[0]) {
                Ok(index) => {
                    let child = &mut self.node_mut(at).children[index];
                    let above = child.letters;
                    child.letters.add(letters);
                    let child = child.node;
                    let label = &self.node(child).label;
                    let shared = label.iter().zip(rest).take_while(|(one, other)| one == other).count();
                    if shared < label.len() {
                        self.node_mut(at).children[index].head = Head::of(&rest[..shared]);
                        self.split(child, shared, above);
                    }
                    (child, shared)
                }
                Err(index) => {
                    let leaf = self.add(Node::new(rest));
                    let child = Child { head: Head::of(rest), letters, node: leaf };
                    self.node_mut(at).children.insert(index, child);
                    (leaf, rest.len())
                }
            };
            (at, rest) = (node, &rest[shared..]);
        }
        self.node_mut(at).value.get_or_insert_with(make)
    }

    /// Removes a word.
    pub(super) fn remove(&mut self, word: &[u8]) {
        let mut path = vec![ROOT];
        let mut rest = word;
        while !rest.is_empty() {
            let at = path[path.len() - 1];
            let Ok(index) = self.child(at, rest[0]) else { return };
            let child = self.node(at).children[index].node;
            let Some(behind) = rest.strip_prefix(&*self.node(child).label) else { return };
            path.push(child);
            rest = behind;
        }
        self.node_mut(path[path.len() - 1]).value = None;
        while let [.., above, last] = path[..]
            && self.node(last).value.is_none()
            && self.node(last).children.is_empty()
        {
            self.node_mut(above).children.retain(|child| child.node != last);
            self.node_mut(last).label = Box::default();
            self.unused.push(last);
            path.pop();
        }
    }

    /// Returns whether a word starts with a prefix.
    pub(super) fn has_beginning(&self, beginning: &[u8]) -> bool {
        self.follow(ROOT, beginning).is_some()
    }

    /// Returns the values of all words with a prefix, in word order.
    pub(super) fn beginning_with(&self, beginning: &[u8]) -> Vec<&T> {
        let mut values = Vec::new();
        if let Some((node, _)) = self.follow(ROOT, beginning) {
            self.visit(node, &mut |value| values.push(value));
        }
        values
    }

    fn visit<'a>(&'a self, node: NodeId, see: &mut impl FnMut(&'a T)) {
        let node = self.node(node);
        node.value.iter().for_each(&mut *see);
        node.children.iter().for_each(|child| self.visit(child.node, see));
    }

    /// Feeds words byte by byte to `next`, which returns the next state or `None` to skip the branch. Skips the
    /// branches for whose letters `may` returns false. Calls `see` with the state and value of each word
    /// reached.
    pub(super) fn walk<'a, S: Copy>(
        &'a self,
        may: &impl Fn(Letters) -> bool,
        first: S,
        next: &impl Fn(S, u8) -> Option<S>,
        see: &mut impl FnMut(S, &'a T),
    ) {
        self.walk_below(ROOT, may, first, next, see);
    }

    fn walk_below<'a, S: Copy>(
        &'a self,
        node: NodeId,
        may: &impl Fn(Letters) -> bool,
        state: S,
        next: &impl Fn(S, u8) -> Option<S>,
        see: &mut impl FnMut(S, &'a T),
    ) {
        for child in self.node(node).children.iter().filter(|child| may(child.letters)) {
            let follow = |state, byte: &u8| next(state, *byte);
            let Some(state) = child.head.bytes().try_fold(state, follow) else { continue };
            let node = self.node(child.node);
            let mut tail = node.label.iter().skip(child.head.0.len());
            let Some(state) = tail.try_fold(state, follow) else { continue };
            if let Some(value) = &node.value {
                see(state, value);
            }
            self.walk_below(child.node, may, state, next, see);
        }
    }

    /// Follows a text from a node. Returns the node where it ends, with the rest of the label.
    fn follow(&self, from: NodeId, text: &[u8]) -> Option<(NodeId, &[u8])> {
        let Some(first) = text.first() else { return Some((from, &[])) };
        let child = self.node(from).children[self.child(from, *first).ok()?].node;
        let label = &*self.node(child).label;
        match text.strip_prefix(label) {
            Some(rest) => self.follow(child, rest),
            None => label.strip_prefix(text).map(|rest| (child, rest)),
        }
    }

    /// Finds the child whose label starts with a byte, or its insertion index.
    fn child(&self, node: NodeId, first: u8) -> Result<usize, usize> {
        self.node(node).children.binary_search_by_key(&first, |child| child.head.0[0])
    }

    /// Splits a node: the first `at` bytes of the label stay, the rest moves to a new child with these letters.
    fn split(&mut self, node: NodeId, at: usize, letters: Letters) {
        let upper = self.node_mut(node);
        let label = std::mem::take(&mut upper.label);
        upper.label = label[..at].into();
        let lower = Node {
            label: label[at..].into(),
            children: std::mem::take(&mut upper.children),
            value: upper.value.take(),
        };
        let lower = self.add(lower);
        let head = Head::of(&self.node(lower).label);
        self.node_mut(node).children = vec![Child { head, letters, node: lower }];
    }

    fn add(&mut self, node: Node<T>) -> NodeId {
        if let Some(id) = self.unused.pop() {
            *self.node_mut(id) = node;
            return id;
        }
        self.nodes.push(node);
        NodeId::try_from(self.nodes.len() - 1).expect("fewer words than a number of 32 bits counts")
    }

    fn node(&self, id: NodeId) -> &Node<T> {
        &self.nodes[id as usize]
    }

    fn node_mut(&mut self, id: NodeId) -> &mut Node<T> {
        &mut self.nodes[id as usize]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_has_what_a_map_has(
            steps in prop::collection::vec((any::<bool>(), "[ab]{0,5}|[a-cé]{1,3}"), 0..80),
            looks in prop::collection::vec("[ab]{0,4}|[a-cé]{0,2}", 10),
        ) {
            let (mut trie, mut map) = (Trie::default(), BTreeMap::new());
            for (number, (is_put, word)) in steps.iter().enumerate() {
                if *is_put {
                    *trie.get_or_insert_with(word.as_bytes(), || 0) = number;
                    map.insert(word.clone(), number);
                } else {
                    trie.remove(word.as_bytes());
                    map.remove(word);
                }
            }
            for look in &looks {
                prop_assert_eq!(trie.get(look.as_bytes()), map.get(look));
                let expected: Vec<&usize> =
                    map.iter().filter(|(word, _)| word.starts_with(look)).map(|(_, value)| value).collect();
                prop_assert_eq!(trie.beginning_with(look.as_bytes()), expected);
            }
            // Only words without a "b"; the root's empty word is one.
            let mut walked = Vec::new();
            trie.walk(&|_| true, 0, &|bytes, byte| (byte != b'b').then_some(bytes + 1), &mut |bytes, value| walked.push((bytes, value)));
            let without: Vec<(usize, &usize)> = map
                .iter()
                .filter(|(word, _)| !word.is_empty() && !word.contains('b'))
                .map(|(word, value)| (word.len(), value))
                .collect();
            prop_assert_eq!(walked, without);

            // No word is skipped that has all the letters of another one, or all but one.
            for (look, most) in looks.iter().zip([0, 1].into_iter().cycle()) {
                let letters = Letters::of(look.as_bytes());
                let mut walked = BTreeSet::new();
                trie.walk(&|below| letters.are_in(below, most), (), &|(), _| Some(()), &mut |(), value| {
                    walked.insert(*value);
                });
                for (word, value) in map.iter().filter(|(word, _)| !word.is_empty()) {
                    let missing: BTreeSet<char> = look.chars().filter(|c| !word.contains(*c)).collect();
                    prop_assert!(missing.len() > most || walked.contains(value), "{look} for {word}");
                }
            }
        }

        #[test]
        fn what_is_removed_leaves_nothing(words in prop::collection::vec("[ab]{1,6}", 1..40)) {
            let mut trie = Trie::default();
            for _ in 0..2 {
                for word in &words {
                    trie.get_or_insert_with(word.as_bytes(), || ());
                }
                let nodes = trie.nodes.len();
                for word in &words {
                    trie.remove(word.as_bytes());
                }
                prop_assert!(trie.node(ROOT).children.is_empty());
                prop_assert_eq!((trie.nodes.len(), trie.unused.len()), (nodes, nodes - 1));
            }
        }
    }
}
