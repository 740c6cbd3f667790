internal import NIOCore
internal import Wire

struct ReplyStream {
    enum Step { case value(RESPValue), needsMore, malformed(String) }
    var parser = ReplyParser()
    mutating func append(_ bytes: NIOCore.ByteBuffer) { parser.append(Array(bytes.readableBytesView)) }
    mutating func next() -> Step {
        do { return try parser.next().map { .value($0) } ?? .needsMore } catch { return .malformed("\(error)") }
    }
}
extension RESPValue {
    var isPush: Bool { if case .push = self { true } else { false } }
    var isNull: Bool { self == .null }
    var errorLine: [UInt8]? { if case .error(let line) = self { line } else { nil } }
    var stringBytes: [UInt8]? {
        switch self {
        case .simpleString(let bytes), .bulkString(let bytes): bytes
        default: nil
        }
    }
    var integerValue: Int64? { if case .integer(let n) = self { n } else { nil } }
    var elements: [RESPValue]? { if case .array(let items) = self { items } else { nil } }
}
