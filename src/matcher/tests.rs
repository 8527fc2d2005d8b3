//! The matcher against `regex::bytes`, and each form that is refused.

use std::sync::Arc;

use proptest::prelude::*;
use rstest::rstest;

use super::{Hit, Matcher, Pattern, PatternError, PatternSet, PatternSource, Span};

fn regex(source: &str) -> PatternSource {
    PatternSource::Regex(source.to_owned())
}

fn text(source: &str) -> PatternSource {
    PatternSource::Text(source.as_bytes().to_vec())
}

fn set(sources: &[PatternSource]) -> Arc<PatternSet> {
    let patterns = sources.iter().map(|source| Pattern::new(source.clone()).unwrap_or_else(|e| panic!("{source}: {e}"))).collect();
    Arc::new(PatternSet::new(patterns).unwrap())
}

/// All hits of a stream cut into chunks, with where each ends.
fn hits(matcher: &mut Matcher, chunks: &[&[u8]]) -> Vec<(u64, Hit, Span)> {
    let mut found = Vec::new();
    for chunk in chunks {
        let mut rest = *chunk;
        while let Some(hit) = matcher.feed(rest) {
            rest = &rest[hit.consumed..];
            found.push((matcher.position(), hit, matcher.resolve(hit)));
        }
    }
    found
}

fn chunks<'a>(stream: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (stream.len() + 1)).collect();
    cuts.extend([0, stream.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect()
}

#[test]
fn a_prompt_followed_by_silence_is_matched_on_its_own_last_byte() {
    let mut matcher = Matcher::new(set(&[text("login: "), regex(r"[#$] ")]));
    assert_eq!(matcher.feed(b"\r\nlogin:"), None);
    assert_eq!(matcher.feed(b" "), Some(Hit { pattern: 0, consumed: 1 }));
    assert_eq!(matcher.feed(b"root@kit# and more"), Some(Hit { pattern: 1, consumed: 10 }));
    assert_eq!(matcher.position(), 9 + 10);
}

#[test]
fn a_prepared_set_matches_as_any_other_and_only_once_from_what_was_prepared() {
    let patterns = [text("OK\r\n"), regex(r"(?m)^ERROR: (\d+)\r"), regex(r"BOOT \d+\.\d+\r")];
    let stream = b"\r\nBOOT 1.4\r\nERROR: 7\r\nxERROR: 8\r\nOK\r\n";
    let plain = hits(&mut Matcher::new(set(&patterns)), &[stream]);
    assert_eq!(plain.len(), 3);
    let prepared = set(&patterns);
    prepared.prepare();
    for _ in 0..2 {
        assert_eq!(hits(&mut Matcher::new(Arc::clone(&prepared)), &[stream]), plain);
    }
}

#[test]
fn a_version_cut_in_two_is_whole() {
    let mut matcher = Matcher::new(set(&[regex(r"version (?<major>\d+)\.(\d+\.\d+)\r")]));
    assert_eq!(matcher.feed(b"boot\rversion 2.7.1"), None);
    let hit = matcher.feed(b"0\r\nOK").unwrap();
    assert_eq!(hit, Hit { pattern: 0, consumed: 2 });
    let captures = vec![("major".to_owned(), b"2".to_vec()), ("2".to_owned(), b"7.10".to_vec())];
    assert_eq!(matcher.resolve(hit), Span { start: Some(5), end: 20, text: b"version 2.7.10\r".to_vec(), captures });
}

#[test]
fn a_group_that_took_no_part_is_left_out() {
    let mut matcher = Matcher::new(set(&[regex(r"(?:(OK)|\+CME ERROR: (\d+))\r")]));
    let hit = matcher.feed(b"\r\n+CME ERROR: 1120\r\n").unwrap();
    assert_eq!(matcher.resolve(hit).captures, [("2".to_owned(), b"1120".to_vec())]);
}

#[test]
fn the_lowest_index_wins_where_several_match() {
    let mut matcher = Matcher::new(set(&[text("XOK"), regex("O[A-Z]"), text("OK")]));
    assert_eq!(matcher.feed(b"OK").map(|hit| hit.pattern), Some(1));
    matcher.restart();
    assert_eq!(matcher.feed(b"XOK").map(|hit| hit.pattern), Some(0));
}

#[test]
fn restart_forgets_what_came() {
    let mut matcher = Matcher::new(set(&[text("OK\r"), regex("^A")]));
    assert_eq!(matcher.feed(b"xO"), None);
    matcher.restart();
    assert_eq!((matcher.position(), matcher.feed(b"K\rA")), (0, None));
    matcher.restart();
    let hit = matcher.feed(b"A").unwrap();
    assert_eq!((hit.pattern, matcher.resolve(hit).start), (1, Some(0)));
}

#[test]
fn bytes_are_bytes() {
    let all: Vec<u8> = (0..=255).collect();
    let mut matcher = Matcher::new(set(&[PatternSource::Hex(vec![0xFF, 0x00, 0x9A]), regex(r"\xFE.\x00.{3}[^\x00-\x7f]")]));
    assert_eq!(matcher.feed(&all), None);
    assert_eq!(matcher.feed(&[0, 0x9A]), Some(Hit { pattern: 0, consumed: 2 }));
    assert_eq!(matcher.feed(&[1, 2, 0x80]), Some(Hit { pattern: 1, consumed: 3 }));
}

#[test]
fn no_pattern_matches_nothing() {
    let set = set(&[]);
    assert!(set.is_empty());
    let mut matcher = Matcher::new(set);
    assert_eq!(matcher.feed(b"anything"), None);
    assert_eq!(matcher.position(), 8);
}

#[test]
fn a_start_further_back_than_the_window_is_not_known() {
    let mut matcher = Matcher::with_window(set(&[regex(r"<(\w*)>"), text("0123456789")]), 8);
    let hit = matcher.feed(b"<abcdef>").unwrap();
    assert_eq!(matcher.resolve(hit).start, Some(0));
    let hit = matcher.feed(b"<abcdefg>").unwrap();
    assert_eq!(matcher.resolve(hit), Span { start: None, end: 17, text: b"abcdefg>".to_vec(), captures: vec![] });
    let hit = matcher.feed(b"0123456789").unwrap();
    assert_eq!(matcher.resolve(hit), Span { start: Some(17), end: 27, text: b"0123456789".to_vec(), captures: vec![] });
}

#[test]
fn the_window_is_not_taken_for_the_beginning_of_the_stream() {
    let mut matcher = Matcher::with_window(set(&[regex(r"(?:^|>)a*b")]), 4);
    let hit = matcher.feed(b">aaaab").unwrap();
    assert_eq!(matcher.resolve(hit).start, None);
}

/// More states than the cache takes: it forgets, and nothing else changes.
#[test]
fn a_cache_that_runs_over_changes_nothing() {
    let mut random = 1_u32;
    let stream: Vec<u8> = std::iter::repeat_with(|| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b"abcd"[(random >> 24) as usize % 4]
    })
    .take(60_000)
    .collect();
    let mut matcher = Matcher::with_window(set(&[regex("a[a-d]{40}c"), regex(r"b.{35}d\B.b")]), 64);
    let mut expected = Vec::new();
    for end in 1..=stream.len() {
        let first = end >= 42 && stream[end - 42] == b'a' && stream[end - 1] == b'c';
        let second = end >= 39 && stream[end - 39] == b'b' && stream[end - 3] == b'd' && stream[end - 1] == b'b';
        if first || second {
            expected.push((end as u64, usize::from(!first)));
        }
    }
    let found: Vec<_> =
        hits(&mut matcher, &stream.chunks(97).collect::<Vec<_>>()).into_iter().map(|(end, hit, _)| (end, hit.pattern)).collect();
    assert!(matcher.cache_clears() > 0, "the test asks for more states than there is room for");
    assert_eq!(found, expected);
}

#[rstest]
// Open ends: every repetition whose count is not fixed, wherever it hides.
#[case(r"version \d+", 8, r"\d+")]
#[case(r"a.*", 1, ".*")]
#[case(r"a.*?", 1, ".*?")]
#[case(r"ax?", 1, "x?")]
#[case(r"x{2,5}", 0, "x{2,5}")]
#[case(r"x{2,}", 0, "x{2,}")]
#[case(r"x{2,5}?", 0, "x{2,5}?")]
#[case(r"version (\d+\.\d+\.\d+)", 19, r"\d+")]
#[case(r"(?:a|b(?:c|d+))", 11, "d+")]
#[case(r"a(?<tail>b*)", 9, "b*")]
#[case(r"(?:a\d+){3}", 4, r"\d+")]
#[case(r"a\d+(?:)", 1, r"\d+")]
#[case(r"(?x) a \d+  # digits", 7, r"\d+")]
fn open_ends_are_refused(#[case] source: &str, #[case] at: usize, #[case] repetition: &str) {
    let error = Pattern::new(regex(source)).unwrap_err();
    assert_eq!(error, PatternError::OpenEnd { offset: at, part: repetition.to_owned() });
    assert!(error.hint().unwrap().contains(&format!(r"`{repetition}\r`")), "{error:?}");
}

#[rstest]
#[case("OK$", 2, "$")]
#[case(r"OK\z", 2, r"\z")]
#[case(r"OK\b", 2, r"\b")]
#[case(r"OK\B", 2, r"\B")]
#[case(r"(?m)OK$", 6, "$")]
#[case(r"(OK|ERROR\b{end})", 9, r"\b{end}")]
#[case(r"(?:OK\b){2}", 5, r"\b")]
#[case(r"OK(?:$)", 5, "$")]
#[case(r"$", 0, "$")]
fn assertions_at_the_end_are_refused(#[case] source: &str, #[case] at: usize, #[case] assertion: &str) {
    let error = Pattern::new(regex(source)).unwrap_err();
    assert_eq!(error, PatternError::EndAssertion { offset: at, part: assertion.to_owned() });
    assert_eq!(error.offset(), Some(at));
}

#[rstest]
#[case(r"2\.7\.1|2\.7\.10", Some(0))]
#[case(r"2.7.10|2.7.1", Some(0))]
#[case(r"v(1|1\d)", Some(2))]
#[case(r"v(\d|\d\d)", Some(2))]
#[case(r"(?i)(ok|OKAY)", Some(5))]
#[case(r"(?:a|b|(?:c|cd)){2}", None)]
fn a_branch_that_begins_another_is_refused(#[case] source: &str, #[case] at: Option<usize>) {
    let error = Pattern::new(regex(source)).unwrap_err();
    assert!(matches!(&error, PatternError::BranchBeginsAnother { offset, .. } if *offset == at), "{error:?}");
    assert!(error.hint().unwrap().contains(r"\r"));
}

#[rstest]
#[case(r"a(|b)", 2, "|b")]
#[case(r"a(?:b|)", 4, "b|")]
#[case(r"a(?:b|c{0})", 4, "b|c{0}")]
fn an_empty_branch_at_the_end_is_refused(#[case] source: &str, #[case] at: usize, #[case] part: &str) {
    assert_eq!(Pattern::new(regex(source)).unwrap_err(), PatternError::EmptyBranch { offset: at, part: part.to_owned() });
}

#[rstest]
#[case(text(""), PatternError::Empty)]
#[case(PatternSource::Hex(vec![]), PatternError::Empty)]
#[case(regex(""), PatternError::Empty)]
#[case(regex("(?:)()"), PatternError::Empty)]
#[case(regex(r"a\zb"), PatternError::MatchesNothing)]
#[case(regex(r"a\Ab"), PatternError::MatchesNothing)]
#[case(regex(r"a\bb"), PatternError::MatchesNothing)]
#[case(regex(r"a[b&&c]"), PatternError::MatchesNothing)]
#[case(regex(r"a(?u:\b) "), PatternError::UnicodeBoundary)]
#[case(regex(r"(?:a{500}){500}b"), PatternError::TooBig { limit: 1 << 20 })]
fn patterns_without_sense_are_refused(#[case] source: PatternSource, #[case] expected: PatternError) {
    assert_eq!(Pattern::new(source).unwrap_err(), expected);
    assert_eq!(expected.offset(), None);
    assert!(expected.hint().is_some());
}

#[rstest]
#[case("a(b", 1)]
#[case("a{3,2}", 1)]
#[case(r"abc\p{Nope}", 3)]
#[case("ab[z-a]", 3)]
fn a_mistake_in_a_regex_is_placed(#[case] source: &str, #[case] at: usize) {
    let error = Pattern::new(regex(source)).unwrap_err();
    assert!(matches!(error, PatternError::Syntax { offset, .. } if offset == at), "{error:?}");
}

#[rstest]
#[case(r"\+CME ERROR: .*\r\n")]
#[case(r"(?:OK|ERROR|\+CME ERROR: \d+)\r")]
#[case(r"(OK|ERROR)")]
#[case(r"a.*b|a.*c")]
#[case(r"\bOK\b\r")]
#[case(r"(?m)^OK\r$\n")]
#[case(r"(\d{1,3}\.){3}")]
#[case(r"\d{4}")]
#[case(r"x{2,2}")]
#[case(r"(?:a[b&&c])*d")]
#[case(r"(?s-u:.)")]
fn what_a_stream_can_decide_is_accepted(#[case] source: &str) {
    Pattern::new(regex(source)).unwrap();
}

#[test]
fn a_pattern_is_shown_as_its_author_wrote_it() {
    assert_eq!(text("OK\r\n\"\\\u{1b}é\0").to_string(), r#""OK\r\n\"\\\x1bé\x00""#);
    assert_eq!(PatternSource::Text(b"a\xff".to_vec()).to_string(), r#""a\xff""#);
    assert_eq!(PatternSource::Hex(vec![0x9A, 0x0D]).to_string(), "hex 9a 0d");
    assert_eq!(Pattern::new(regex(r"OK/\d\r")).unwrap().to_string(), r"/OK/\d\r/");
}

/// A regex over a small alphabet, in all forms that matter to a stream.
fn any_regex() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        8 => "[abc ]".prop_map(|s| s),
        1 => Just(r"\n".to_owned()),
        1 => Just(r"\r".to_owned()),
        2 => Just("[ab]".to_owned()),
        1 => Just("[^a]".to_owned()),
        1 => Just(r"\w".to_owned()),
        1 => Just(".".to_owned()),
        1 => Just("(?s:.)".to_owned()),
        2 => prop::sample::select(vec![r"\b", r"\B", "^", "$", "(?m:^)", "(?m:$)", r"\A", r"\z", "(?Rm:^)", "(?Rm:$)", r"\b{start}", r"\b{end-half}"]).prop_map(str::to_owned),
    ];
    let repeat = prop::sample::select(vec!["*", "+", "?", "*?", "+?", "??", "{2}", "{0,2}", "{1,3}", "{2,}"]);
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            4 => prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            2 => prop::collection::vec(inner.clone(), 2..4).prop_map(|branches| format!("(?:{})", branches.join("|"))),
            2 => (inner.clone(), repeat.clone()).prop_map(|(inner, repeat)| format!("(?:{inner}){repeat}")),
            1 => inner.prop_map(|inner| format!("({inner})")),
        ]
    })
}

fn any_source() -> impl Strategy<Value = PatternSource> {
    prop_oneof![
        3 => any_regex().prop_map(PatternSource::Regex),
        // Most random regexes have an open end: close some.
        3 => (any_regex(), "[abc]").prop_map(|(regex, end)| PatternSource::Regex(format!("(?:{regex}){end}"))),
        1 => "[abc ]{1,4}".prop_map(|text| PatternSource::Text(text.into_bytes())),
        1 => prop::collection::vec(prop::sample::select(vec![b'a', b'b', b'\n', 0xFF]), 1..3).prop_map(PatternSource::Hex),
    ]
}

/// The same pattern for `regex::bytes`.
fn reference(source: &PatternSource, end: &str) -> regex::bytes::Regex {
    let pattern = match source {
        PatternSource::Regex(regex) => regex.clone(),
        PatternSource::Text(bytes) | PatternSource::Hex(bytes) => bytes.iter().map(|byte| format!(r"\x{byte:02x}")).collect(),
    };
    regex::bytes::RegexBuilder::new(&format!("(?:{pattern}){end}")).unicode(false).build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, max_global_rejects: 100_000, ..ProptestConfig::default() })]

    /// The first hit is the shortest prefix that `regex::bytes` matches. All hits are the ends of all matches, each with its leftmost start and what it captures, whatever the cuts.
    #[test]
    fn agrees_with_regex_bytes(
        sources in prop::collection::vec(any_source(), 1..5),
        stream in prop::collection::vec(prop::sample::select(vec![b'a', b'a', b'b', b'b', b'c', b' ', b'\n', b'\r', 0xFF]), 0..40),
        cuts in prop::collection::vec(any::<usize>(), 0..8),
    ) {
        let sources: Vec<PatternSource> = sources.into_iter().filter(|source| Pattern::new(source.clone()).is_ok()).collect();
        prop_assume!(!sources.is_empty());
        let set = set(&sources);

        let plain: Vec<_> = sources.iter().map(|source| reference(source, "")).collect();
        let first = (1..=stream.len()).find_map(|end| {
            let pattern = plain.iter().position(|regex| regex.is_match(&stream[..end]))?;
            Some(Hit { pattern, consumed: end })
        });
        let mut matcher = Matcher::new(Arc::clone(&set));
        prop_assert_eq!(matcher.feed(&stream), first);

        let tied: Vec<_> = sources.iter().map(|source| reference(source, r"\z")).collect();
        let mut expected = Vec::new();
        for end in 1..=stream.len() {
            let prefix = &stream[..end];
            if let Some(pattern) = tied.iter().position(|regex| regex.is_match(prefix)) {
                let groups = tied[pattern].captures(prefix).unwrap();
                let whole = groups.get(0).unwrap();
                let captures = groups.iter().enumerate().skip(1).filter_map(|(number, group)| Some((number.to_string(), group?.as_bytes().to_vec()))).collect();
                expected.push((end as u64, pattern, Span { start: Some(whole.start() as u64), end: end as u64, text: whole.as_bytes().to_vec(), captures }));
            }
        }
        let single: Vec<&[u8]> = stream.chunks(1).collect();
        for chunks in [vec![stream.as_slice()], single, chunks(&stream, &cuts)] {
            matcher.restart();
            let found: Vec<_> = hits(&mut matcher, &chunks).into_iter().map(|(end, hit, span)| (end, hit.pattern, span)).collect();
            prop_assert_eq!(&found, &expected);
        }
    }

    /// Whatever is refused, is refused with words and, where it is a form, with its place.
    #[test]
    fn a_refusal_is_placed_inside_the_pattern(source in any_regex()) {
        if let Err(error) = Pattern::new(PatternSource::Regex(source.clone())) {
            prop_assert!(error.offset().is_none_or(|at| at < source.len()), "{:?}", error);
            prop_assert!(error.hint().is_some(), "{:?}", error);
        }
    }
}
