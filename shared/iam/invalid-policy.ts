/**
 * A policy document, or a request put to one, that cannot be read.
 * `path` is a JSON path (`$.Statement[0].Effect`), `message` one sentence that starts with it.
 */
export class InvalidPolicy extends Error {
  override readonly name = "InvalidPolicy";
  readonly path: string;

  constructor(path: string, fault: string) {
    super(`${path}: ${fault}`);
    this.path = path;
  }
}
