public import ClusterModel

/// Writes commands as clients send them: arrays of bulk strings.
public enum RESPRequestWriter {
    /// Begins a command of so many arguments, the name included; `argument` follows so many times.
    @inline(__always)
    public static func begin(_ count: Int, into buffer: inout ByteBuffer) {
        buffer.append(0x2A)
        buffer.append(decimal: Int64(count))
        buffer.append("\r\n")
    }

    @inline(__always)
    public static func argument(_ bytes: ByteView, into buffer: inout ByteBuffer) {
        buffer.append(0x24)
        buffer.append(decimal: Int64(bytes.count))
        buffer.append("\r\n")
        buffer.append(bytes)
        buffer.append("\r\n")
    }

    /// Appends one command. - Precondition: at least one argument.
    public static func command(_ arguments: [[UInt8]], into buffer: inout ByteBuffer) {
        precondition(!arguments.isEmpty)
        begin(arguments.count, into: &buffer)
        for bytes in arguments { bytes.withByteView { argument($0, into: &buffer) } }
    }
}
