// A `stator dev` for the length of a test run, and a few words for its /_stator/ API. Copy it into your tests.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export class Stator {
  static async start(binary = process.env.STATOR_BINARY ?? "stator") {
    const server = spawn(binary, ["dev", "--listen", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "ignore"] });
    for await (const line of createInterface({ input: server.stdout })) {
      if (line.startsWith("listening on ")) {
        return new Stator(server, line.slice("listening on ".length).trim());
      }
    }
    throw new Error("stator ended before it listened");
  }

  constructor(server, url) {
    this.server = server;
    this.url = url;
  }

  stop() {
    const ended = new Promise((resolve) => this.server.once("exit", resolve));
    this.server.kill("SIGTERM");
    return ended;
  }

  // Calls /_stator/PATH; a refusal rejects, with its hint.
  async call(method, path, body) {
    const response = await fetch(`${this.url}/_stator/${path}`, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const answer = await response.json();
    if (!response.ok) {
      throw new Error(`${answer.error.message} (${answer.error.hint})`);
    }
    return answer;
  }

  advance(by) {
    return this.call("POST", "clock/advance", { by });
  }

  fault(fault) {
    return this.call("POST", "faults", fault);
  }

  async requests(operation) {
    return (await this.call("GET", `requests?operation=${operation}`)).requests;
  }
}
