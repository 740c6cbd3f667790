import ClusterModel

/// What happened, folded into one number: two runs of a seed that differ anywhere have another hash. A line is made of it
/// only when somebody reads them.
public final class Trace {
    /// Where lines go; nil = nobody reads them.
    public var sink: ((String) -> Void)?
    public private(set) var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    public private(set) var events: UInt64 = 0

    public init(sink: ((String) -> Void)? = nil) { self.sink = sink }

    /// Folds numbers in and writes a line: time in seconds, then the text.
    func note(_ time: UInt64, _ code: UInt64, _ detail: UInt64, _ text: @autoclosure () -> String) {
        events += 1
        mix(time)
        mix(code)
        mix(detail)
        if let sink { sink("\(Self.seconds(time)) \(text())") }
    }

    private func mix(_ number: UInt64) {
        var mixed = hash ^ number
        mixed = (mixed ^ mixed >> 32) &* 0xD6E8_FEB8_6659_FD93
        hash = mixed ^ mixed >> 29
    }

    /// `12.000345`, for ns.
    static func seconds(_ time: UInt64) -> String {
        let micros = "\(time / 1000 % 1_000_000)"
        return "\(time / 1_000_000_000)." + String(repeating: "0", count: 6 - micros.count) + micros
    }
}

extension Array where Element == UInt8 {
    /// For the trace.
    var checksum: UInt64 { withByteView { UInt64(Checksum.of($0)) } }
}
