// Connection IDs that say which server and which of its threads have the connection, readable by
// who has the key. They are encrypted as in draft-ietf-quic-load-balancers ("QUIC-LB").
//
// An ID has these parts; servers and load balancers agree on their sizes:
//
//   first octet     key id (3 bits), worker (5 bits)        in clear
//   server number   1 to 8 bytes                            encrypted together, with AES-128:
//   nonce           4 bytes or more                         no size grows by it
//
// The first octet is all that a kernel needs to choose the socket of a thread. It is the draft's,
// which gives three bits to the configuration. In the other five the draft has the length of the
// ID or random bits, and load balancers ignore them; here they number the worker.
//
// Two IDs of a connection share the key id and the worker, and nothing else without the key. What
// an observer learns is that both belong to one of the connections of that worker number, of any
// server.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/connection_id.h>
#include <sluice/dtls/environment.h>
#include <sluice/dtls/error.h>

namespace sluice::dtls {

// Names a key, 0 to 6: the draft reserves 7 for IDs that cannot be routed. While keys change, IDs
// of several keys are in use.
enum class RoutableKeyId : std::uint8_t {};

// What the IDs of one key have in common. Errors: invalid_argument where a value is out of range.
struct RoutableIdLayout {
  RoutableKeyId key_id{};
  // Of the whole ID, in bytes: 6 to 20, and 5 more than server_size at least.
  std::size_t size = 16;
  std::size_t server_size = 1;  // of the server number, in bytes: 1 to 8
};

inline constexpr std::size_t kRoutableKeySize = 16;  // bytes of an AES-128 key
inline constexpr std::size_t kMaxRoutableId = 20;
// The numbers of workers are below this.
inline constexpr std::uint8_t kMaxRoutableWorkers = 32;

// Where a connection is, as its ID says.
struct RoutableId {
  static constexpr std::size_t kMaxNonce = 18;

  RoutableKeyId key_id{};
  std::uint8_t worker = 0;
  std::uint64_t server = 0;
  std::array<std::byte, kMaxNonce> nonce_bytes{};
  std::size_t nonce_size = 0;

  [[nodiscard]] Bytes nonce() const { return Bytes(nonce_bytes).first(nonce_size); }
};

struct RoutableIdOptions {
  RoutableIdLayout layout = {};
  std::uint64_t server = 0;  // its number; must fit into server_size
  // The number of this thread or process among those of the server, below kMaxRoutableWorkers. No
  // two may have the same at one time.
  std::uint8_t worker = 0;
  // IDs after which make() asks for another key, if the nonces have not come to an end before.
  std::optional<std::uint64_t> max_ids_per_key = {};
};

// Makes the IDs of one worker.
//
// A nonce must not occur twice under one key (draft, "Connection ID Entropy"). It consists of the
// worker's number (5 bits), of random bits above the 63rd, and of a counter that begins at a random
// value. So the IDs of one object never repeat. Those of an object made later, after a restart of
// the process, repeat by chance alone: with n IDs in all, at most with a probability of about
// n / 2^(8 * nonce size - 5) per restart. With a nonce of 8 bytes or more that is negligible; with
// a shorter one have a new key at each start.
//
// One thread at a time, as its Environment.
class RoutableConnectionIds final : public ConnectionIdSource {
 public:
  // `environment` must outlive the object. `key`: kRoutableKeySize random bytes, which all servers
  // and load balancers share. Errors: invalid_argument, with the option's name in Error::detail;
  // libcrypto_failure.
  static Result<std::unique_ptr<RoutableConnectionIds>> make(Environment& environment,
                                                             const RoutableIdOptions& options,
                                                             Bytes key);
  ~RoutableConnectionIds() override;

  [[nodiscard]] std::size_t size() const override;
  // Errors: connection_ids_used_up, until change_key(); libcrypto_failure.
  Result<void> make(MutableBytes out) override;
  // IDs that make() still has for this key. Get a new key before it is 0.
  [[nodiscard]] std::uint64_t remaining() const;

  // Further IDs are of this key. The load balancers should have it already, and keep the former one
  // for as long as IDs of it are in use: Connection::renew_connection_id() replaces them in DTLS
  // 1.3. A key id that is used again must have no IDs in use. Errors, which change nothing:
  // invalid_argument (the key, or a key_id out of range), libcrypto_failure.
  Result<void> change_key(RoutableKeyId key_id, Bytes key);

 private:
  struct State;
  explicit RoutableConnectionIds(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The connection ID of the first record of a datagram, if that has one of `size` bytes, 1 to
// kMaxConnectionId: a tls12_cid record (RFC 9146 section 4), or a DTLS 1.3 ciphertext whose header
// has the C bit (RFC 9147 section 4). Nothing says there how long an ID is. Empty: the datagram has
// none, as those that begin a handshake, or is shorter; route it by its address.
[[nodiscard]] std::optional<Bytes> connection_id_in(Bytes datagram, std::size_t size);

// Reads RoutableConnectionIds: for load balancers. One thread at a time, as its Environment.
//
// IDs are not authenticated. Without the right key, and with bytes that somebody made up, a server
// number comes out that means nothing: route those that no server has by their address. A datagram
// that reaches the wrong server changes nothing there.
class RoutableIdDecoder {
 public:
  // `environment` must outlive the object.
  explicit RoutableIdDecoder(Environment& environment);
  RoutableIdDecoder(RoutableIdDecoder&&) noexcept;
  RoutableIdDecoder& operator=(RoutableIdDecoder&&) noexcept;
  ~RoutableIdDecoder();

  // IDs of this key can be decoded from now on. A key with the same id is replaced. Errors:
  // invalid_argument, libcrypto_failure.
  Result<void> add(const RoutableIdLayout& layout, Bytes key);
  // False: there is no such key.
  bool remove(RoutableKeyId key_id);

  // Errors: decode_error for an ID that is of no key here, or of another size; libcrypto_failure.
  Result<RoutableId> decode(Bytes id);
  // The same for the ID in a datagram (connection_id_in()). Errors: decode_error also where there
  // is none.
  Result<RoutableId> decode_datagram(Bytes datagram);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice::dtls
