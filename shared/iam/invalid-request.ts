/** A request that cannot be evaluated; `member` is the part at fault: `action`, `resource`, `context["aws:SourceIp"]`. */
export class InvalidRequest extends Error {
  override readonly name = "InvalidRequest";
  readonly member: string;

  constructor(member: string, fault: string) {
    super(`\`${member}\` ${fault}`);
    this.member = member;
  }
}
