/* Finds the sections that a question is about. A section counts for each word of the question: more for a rare word, for
   one in its heading or its page's title, and for one that it repeats, less for its length (Okapi BM25). */
const MOST = 20;
const AROUND = 90; // characters of an excerpt on each side of a word
const HEADING = 3;
const TITLE = 2;
const SATURATION = 1.2;
const LENGTH = 0.75;
const EMPTY = new Set("a an and are as at be by can do does for from have how i in is it may me my of on or that the there to what when which why will with you".split(" "));

const words = (text) => text.toLowerCase().match(/[\p{L}\d_]+/gu) ?? [];

/** Return the beginning that forms of a word share: train of training, optimizer of optimizers. */
const stem = (word) => word.replace(/(?<=.{4})(ing|ed|es|s|e)$/, "");

/** Whether a word of a text is a form of a stem; short stems, such as C, stand for themselves alone. */
const isForm = (stem) => (word) => (stem.length < 3 ? word === stem : word.startsWith(stem));

function search(question) {
  const asked = words(question);
  const telling = asked.filter((word) => !EMPTY.has(word));
  const stems = [...new Set((telling.length ? telling : asked).map(stem))];
  const sections = SECTIONS.map(([title, heading, address, text]) => ({
    title, heading, address, text, words: words(text), inHeading: words(heading), inTitle: words(title), score: 0,
  }));
  const mean = sections.reduce((sum, section) => sum + section.words.length, 0) / sections.length;
  for (const each of stems) {
    const counts = sections.map((section) => section.words.filter(isForm(each)).length);
    const headings = sections.map((section) => section.inHeading.some(isForm(each)));
    const titles = sections.map((section) => section.inTitle.some(isForm(each)));
    const having = sections.filter((_, i) => counts[i] || headings[i] || titles[i]).length;
    const rarity = Math.log(1 + (sections.length - having + 0.5) / (having + 0.5));
    sections.forEach((section, i) => {
      const long = 1 - LENGTH + (LENGTH * section.words.length) / mean;
      const often = (counts[i] * (SATURATION + 1)) / (counts[i] + SATURATION * long);
      section.score += rarity * (often + HEADING * headings[i] + TITLE * titles[i]);
    });
  }
  const found = sections.filter((section) => section.score > 0).sort((a, b) => b.score - a.score);
  return { stems, found: found.slice(0, MOST) };
}

/** Return the text around the first word that was asked for, such words marked. */
function excerpt(text, stems) {
  const parts = text.split(/([\p{L}\d_]+)/u);
  const isAsked = (part) => stems.some((each) => isForm(each)(part.toLowerCase()));
  const first = Math.max(0, parts.findIndex((part, i) => i % 2 && isAsked(part)));
  const before = parts.slice(0, first).join("").length;
  const paragraph = document.createElement("p");
  let at = 0;
  parts.forEach((part, i) => {
    const near = at >= before - AROUND && at <= before + 2 * AROUND;
    at += part.length;
    if (!near) return;
    if (i % 2 && isAsked(part)) {
      const mark = document.createElement("mark");
      mark.textContent = part;
      paragraph.append(mark);
    } else paragraph.append(part);
  });
  return paragraph;
}

function entry(section, stems) {
  const link = document.createElement("a");
  link.href = section.address;
  link.textContent = section.heading === section.title ? section.title : `${section.title}: ${section.heading}`;
  const item = document.createElement("li");
  item.append(link, excerpt(section.text, stems));
  return item;
}

const question = new URLSearchParams(location.search).get("q") ?? "";
for (const field of document.querySelectorAll("input[name=q]")) field.value = question;
if (question) {
  const { stems, found } = search(question);
  document.getElementById("search-results").replaceChildren(...found.map((section) => entry(section, stems)));
  document.getElementById("search-summary").textContent = found.length
    ? `The ${found.length} sections that fit "${question}" best:`
    : `Nothing was found for "${question}".`;
}
