// The sentences this script puts together, in the language of the share: found by their English, as
// web/client/live_words.py hands them out, with values filled in by name.
const words = (() => {
  const given = JSON.parse(page.feed?.dataset.words ?? '{"lang":"en","locale":"en-GB","said":{},"counted":{}}');
  const rules = new Intl.PluralRules(given.locale);

  const filled = (text, values) => text.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);

  function say(english, values = {}) {
    return filled(given.said[english] ?? english, values);
  }

  // Returns the sentence for a number, by the English one of one.
  function count(one, number, values) {
    const forms = given.counted[one] ?? [one];
    return filled(forms[rules.select(number) === 'one' ? 0 : Math.min(1, forms.length - 1)], values);
  }

  // Returns a table from words on the page to others of the same list, each by its English.
  const table = (from, to) => new Map(from.map((english, i) => [say(english), say(to[i])]));

  function symbol(currency) {
    const how = { style: 'currency', currency };
    return new Intl.NumberFormat(given.locale, how).formatToParts(0).find(({ type }) => type === 'currency').value;
  }

  // Returns digits with a currency where the language puts it.
  function placed(digits, currency) {
    const known = given.symbols?.[currency];
    if (given.placing) return filled(given.placing, { amount: digits, symbol: known ?? symbol(currency) });
    return `${known ?? `${currency} `}${digits}`;
  }

  return {
    say,
    count,
    table,
    placed,
    lang: given.lang,
    locale: given.locale,
    units: given.units ?? [],
    mirrored: page.root.dir === 'rtl',
  };
})();
