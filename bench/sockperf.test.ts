import { expect, test } from "vitest";
import { parseRoundTrips } from "./sockperf.ts";

const OUTPUT = `sockperf: Summary: Round trip is 51.270 usec
sockperf: Total 9742 observations; each percentile contains 97.42 observations
sockperf: ---> <MAX> observation = 1432.080
sockperf: ---> percentile 99.999 = 1432.080
sockperf: ---> percentile 99.990 =  987.654
sockperf: ---> percentile 99.900 =  214.600
sockperf: ---> percentile 99.000 =   96.310
sockperf: ---> percentile 90.000 =   61.400
sockperf: ---> percentile 50.000 =   48.990
sockperf: ---> <MIN> observation =   36.120
`;

test("parseRoundTrips() reads median, 99th percentile and number of samples", () => {
  expect(parseRoundTrips(OUTPUT)).toEqual({ p50Us: 48.99, p99Us: 96.31, samples: 9742 });
});

test("parseRoundTrips() does not take a higher percentile for the 99th", () => {
  expect(parseRoundTrips(OUTPUT.replace("96.310", "96.311")).p99Us).toBe(96.311);
});

test("parseRoundTrips() throws what sockperf said when it measured nothing", () => {
  expect(() => parseRoundTrips("sockperf: No messages were received from the server. Is the server down?")).toThrow(
    "Is the server down?",
  );
});
