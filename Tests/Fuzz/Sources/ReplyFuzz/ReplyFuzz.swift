import ClusterModel
import Wire

/// Any bytes, whole and in pieces: no trap, and the same replies however they are cut.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = unsafe ByteView(base: start, count: count).array
    let whole = parse(bytes, piece: max(bytes.count, 1))
    let pieces = parse(bytes, piece: 1 + Int(bytes.first ?? 0) % 17)
    precondition(whole == pieces, "a cut changes what is parsed")
    return 0
}

/// As text, since not-a-number equals nothing.
private func parse(_ bytes: [UInt8], piece: Int) -> [String] {
    var parser = ReplyParser()
    var found: [String] = []
    var sent = 0
    while sent < bytes.count {
        let end = min(sent + piece, bytes.count)
        parser.append(bytes[sent..<end])
        sent = end
        do throws(ReplyError) {
            while let value = try parser.next() { found.append("\(value)") }
        } catch {
            found.append("\(error)")
            return found
        }
    }
    return found
}
