// Words for numbers.

/** A number with its noun: `1 film`, `1,200 films`. */
export const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
