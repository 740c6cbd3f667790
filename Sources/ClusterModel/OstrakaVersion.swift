/// The version of these programs: `--version`, INFO, the peers' greeting.
public enum OstrakaVersion {
    public static let text = "0.1.0"
    /// The Redis version whose behaviour is followed.
    public static let redis = "7.0.15"
}
