import { styleText } from "node:util";

/** Teller writes the story: coloured on a terminal, plain elsewhere (NO_COLOR and FORCE_COLOR are heeded). */
export interface Teller {
  /** chapter begins a numbered chapter. */
  chapter(title: string): void;
  /** say is a sentence about what is done now. */
  say(text: string): void;
  /** show is something the program or a server said. */
  show(label: string, text: string): void;
  /** proved is a check that held. */
  proved(text: string): void;
  /** failed is the last thing that is told. */
  failed(text: string): void;
  /** Title of the chapter that is being told. */
  readonly current: string;
}

type Style = Parameters<typeof styleText>[0];

const LABEL_WIDTH = 20;

/** createTeller writes to a stream, the program's stdout. */
export function createTeller(stream: NodeJS.WritableStream): Teller {
  let number = 0;
  let current = "";
  const write = (style: Style, text: string, rest = ""): void => {
    stream.write(`${styleText(style, text, { stream })}${rest}\n`);
  };
  return {
    chapter(title) {
      number++;
      current = `${number}. ${title}`;
      write(["bold", "cyan"], `\n${current}`);
    },
    say: (text) => write("dim", `   ${text}`),
    show(label, text) {
      const [first = "", ...rest] = text.trimEnd().split("\n");
      write("yellow", `   ${label.padEnd(LABEL_WIDTH - 1)} `, first);
      for (const line of rest) stream.write(`   ${" ".repeat(LABEL_WIDTH)}${line}\n`);
    },
    proved: (text) => write("green", "   ok ", text),
    failed: (text) => write(["bold", "red"], "\nFAILED ", text),
    get current() {
      return current;
    },
  };
}
