// The records of one connection, received and sent: epochs and their keys, replay windows, limits.
#pragma once

#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include <sluice/dtls/statistics.h>

#include "record/connection_ids.h"
#include "record/epoch_numbers.h"
#include "record/epochs.h"
#include "record/future_record.h"
#include "record/key_limits.h"
#include "record/observation.h"
#include "record/protection12.h"
#include "record/protection13.h"
#include "record/record_size.h"
#include "record/replay_window.h"
#include "record/send_limit.h"
#include "record/stored_epoch.h"

namespace sluice::dtls::record {

// An accepted record. Its contents are a part of the datagram.
struct Record {
  wire::ContentType type{};
  wire::Epoch epoch{};
  wire::SequenceNumber sequence{};
  MutableBytes contents;
  // The record is authentic, and no record of its epoch or a later one with a higher number was
  // received before. So its source is the peer's latest address (RFC 9146 section 6).
  bool is_newest = false;
  // The record was received before. Only a connection without a replay window takes one again.
  bool is_repeated = false;
};

// A record that may be genuine, but the connection is cold (RecordLayer::cool()). It remains the
// first record of its datagram.
struct NeedsCiphers {};

// The longest contents of a record, in bytes.
struct ContentLimits {
  // For protected records: the maximum of the version, or record_size_limit (RFC 8449).
  std::uint16_t sent = kMaxPlaintext;
  std::uint16_t received = kMaxPlaintext;
  // For plaintext records that are sent. max_fragment_length (RFC 6066 section 4) applies to them;
  // record_size_limit does not. Received ones may be longer: a hello is made, and retransmitted,
  // before anything is agreed.
  std::uint16_t plaintext = kMaxPlaintext;
};

class RecordLayer {
 public:
  // `padding`: inner plaintexts are padded to a multiple of this. `replay_window`: a size that a
  // ReplayWindow can have; 0: application data is accepted any number of times.
  explicit RecordLayer(std::size_t padding = 0,
                       std::size_t replay_window = ReplayWindow::kDefaultSize)
      : padding_(static_cast<std::uint16_t>(padding)),
        window_units_(static_cast<std::uint8_t>(replay_window / ReplayWindow::kUnit)) {}

  // Reports each record that is accepted or sealed from now on.
  void observe(std::unique_ptr<Observation> observation) {
    rare().observation = std::move(observation);
  }
  // Null: there is no observer.
  [[nodiscard]] Observation* observation() const {
    return rare_ != nullptr ? rare_->observation.get() : nullptr;
  }

  // ---- reading

  using Taken = std::variant<Record, FutureRecord, NeedsCiphers, Discard>;

  // Removes the first record from `datagram`. A record that is not accepted gives a Discard and has
  // no other effect. If the header does not show where the record ends, or the record has not the
  // connection ID that it must have, the whole datagram is removed.
  Taken take(MutableBytes& datagram);

  // Adds the keys of the encrypted epoch of DTLS 1.2, which has one.
  void add_reader12(Opener12 opener, const KeyLimits& limits = {});
  // Adds the keys of one epoch of DTLS 1.3.
  void add_reader(wire::Epoch epoch, Opener13 opener, const KeyLimits& limits = {});
  // Discards later plaintext records as unknown_epoch.
  void stop_reading_plaintext() { reads_plaintext_ = false; }
  // Drops the keys of encrypted epochs before this one.
  void stop_reading_before(wire::Epoch epoch);
  // Whether an authentic record of this epoch was received.
  [[nodiscard]] bool has_read(wire::Epoch epoch) const;
  // The newest epoch that has keys.
  [[nodiscard]] wire::Epoch read_epoch() const { return readers_.newest().epoch; }
  [[nodiscard]] bool has_read_key() const { return !readers_.empty(); }
  // Whether an authentic record of an encrypted epoch was received.
  [[nodiscard]] bool peer_encrypts() const { return peer_encrypts_; }

  // Whether more records than the limit failed to authenticate under one key.
  [[nodiscard]] bool forgeries_exceeded() const { return forgeries_exceeded_; }

  // Sets the limits of all later records, for both directions.
  void set_content_limits(const ContentLimits& limits) { content_limits_ = limits; }
  // The receiver must refuse records of take() whose contents are longer.
  [[nodiscard]] std::size_t max_received(wire::Epoch epoch) const {
    if (epoch == wire::kPlaintextEpoch) return kMaxPlaintext;
    // RFC 9146 section 5: where a record of DTLS 1.2 has a connection ID, the type counts as well.
    const bool hides_type = epoch == wire::kFirstEncryptedEpoch12 && !ids_.own().empty();
    return std::min(std::size_t{content_limits_.received},
                    kMaxPlaintext - (hides_type ? kInnerTypeSize : 0));
  }

  // ---- connection IDs

  // Sets the connection ID of the peer's encrypted records and that of this side's; empty: none. A
  // client that has offered an ID sets it before the server has agreed, with none for its own
  // records: what arrives before its keys can then be kept.
  void set_connection_ids(Bytes own, Bytes peers) { ids_.set(own, peers); }
  // The extension is not agreed on.
  void clear_connection_ids() { ids_.clear(); }
  [[nodiscard]] const ConnectionIds& connection_ids() const { return ids_; }
  [[nodiscard]] ConnectionIds& connection_ids() { return ids_; }
  // To be called before the first record of a datagram is taken.
  void begin_datagram() { ids_.begin_datagram(); }

  // ---- writing

  // Adds the keys of the encrypted epoch of DTLS 1.2. start_encrypting() makes it write_epoch().
  void add_writer12(Sealer12 sealer, const KeyLimits& limits = {});
  // Adds the keys of one epoch of DTLS 1.3, which becomes write_epoch().
  void add_writer(wire::Epoch epoch, Sealer13 sealer, const KeyLimits& limits = {});
  // Drops the keys of encrypted epochs before this one.
  void stop_writing_before(wire::Epoch epoch);
  // The present flight contains ChangeCipherSpec: write_epoch() is encrypted from now on.
  void start_encrypting() { is_encrypting_ = true; }
  // The epoch of records that are not part of a flight: application data, alerts, ACKs.
  [[nodiscard]] wire::Epoch write_epoch() const {
    return is_encrypting_ ? wire::Epoch(writers_.newest().epoch) : wire::kPlaintextEpoch;
  }
  // Sets the first sequence number of epoch 0. Stateless replies have used the numbers before it
  // (RFC 6347 section 4.2.1).
  void start_plaintext_at(wire::SequenceNumber number) { next_plaintext_ = wire::value_of(number); }
  // Sets the version in plaintext and DTLS 1.2 headers, after the ServerHello has selected it.
  void set_version(ProtocolVersion version) { version_ = version; }

  // The sizes of the epoch's records. Callers must respect max_contents().
  [[nodiscard]] RecordSize size_of(wire::Epoch epoch) const {
    const Writers* encrypted = writers_.find(epoch);
    if (encrypted == nullptr) return {{}, content_limits_.plaintext, 0};
    return size_of(encrypted->newest());
  }
  // Writes one record to `out` and returns its size. Padding makes the record no longer than `out`.
  // `contents` may lie at out + size_of(epoch).head(), else it must not overlap `out`. Empty when
  // the epoch's sequence numbers are used up, `out` is too small or the epoch has no key.
  std::optional<std::size_t> seal(wire::Epoch epoch, wire::ContentType type, Bytes contents,
                                  MutableBytes out);
  // The number of the last record of the epoch that seal() wrote.
  [[nodiscard]] wire::SequenceNumber last_sequence(wire::Epoch epoch) const;
  // Whether the epoch's sequence numbers, its key's limit or the send limit are used up.
  [[nodiscard]] bool exhausted(wire::Epoch epoch) const;
  // Whether write_epoch() has numbers left for application data: the last eighth of a key's records
  // is reserved for the messages that change the key.
  [[nodiscard]] bool takes_data() const;
  // The numbers of write_epoch() that takes_data() would still allow, send limit aside.
  [[nodiscard]] std::uint64_t data_left() const;
  // Whether half of the limit of write_epoch()'s key is used up.
  [[nodiscard]] bool should_update_keys() const;

  // ---- cold connections

  // A cold connection has no ciphers for its newest epochs; warm_up() gives it new ones, which the
  // caller has made from the same secrets. Sequence numbers, replay windows and counts stay. A cold
  // connection opens and seals no record of these epochs.

  void cool();
  [[nodiscard]] bool is_cold() const { return is_cold_; }
  template <class Opener, class Sealer>
  void warm_up(Opener opener, Sealer sealer) {
    readers_.warm_up(std::move(opener));
    writers_.warm_up(std::move(sealer));
    is_cold_ = false;
  }

  // ---- connections that move

  // Of all epochs that can be read, the newest first. `limits`: those of their keys.
  [[nodiscard]] std::vector<ReadNumbers> read_numbers(const KeyLimits& limits) const;
  [[nodiscard]] WriteNumbers write_numbers() const {
    return {writers_.newest().epoch, writers_.newest().next};
  }
  // The sequence number of the next plaintext record.
  [[nodiscard]] std::uint64_t next_plaintext() const { return next_plaintext_; }
  // Null: no snapshot was taken, so there is no limit.
  [[nodiscard]] SendLimit* send_limit() const {
    return rare_ != nullptr && rare_->send_limit ? &*rare_->send_limit : nullptr;
  }
  // Encrypted records before `limit` only, a record_number(), may be sealed.
  SendLimit& limit_sending(std::uint64_t limit) { return rare().send_limit.emplace(limit); }
  // Whether write_epoch() could go on if a snapshot were stored.
  [[nodiscard]] bool waits_for_snapshot() const {
    return send_limit() != nullptr && !send_limit()->allows_data(write_numbers());
  }
  // Nothing more is read or written.
  void drop_keys() {
    readers_ = {};
    writers_ = {};
  }
  // Continues the present epochs of another object, which has read all its plaintext. The
  // connection is cold. `room` is that of the write epoch's records.
  void restore(ProtocolVersion version, const ReadNumbers& read, const WriteNumbers& write,
               const RecordRoom& room, const KeyLimits& limits);
  // The same for an earlier epoch that can still be read. To be called before restore().
  void restore_old(const ReadNumbers& read, Opener13 opener, const KeyLimits& limits);

 private:
  // Most connections are idle and consist of these and of secrets, so all members here and of the
  // RecordLayer have an order that leaves no padding between them.
  struct Reader {
    std::uint64_t forgeries_left = 0;  // until the limit of the key
    ReplayWindow window;
    StoredEpoch epoch = wire::kPlaintextEpoch;
  };
  struct Writer {
    std::uint64_t next = 0;
    std::uint64_t limit = 0;  // of `next`, for this key
    StoredEpoch epoch = wire::kPlaintextEpoch;
    RecordRoom room;  // without a connection ID
  };
  // What few connections have.
  struct Rare {
    std::unique_ptr<Observation> observation = {};
    std::optional<SendLimit> send_limit = {};
  };
  Rare& rare() {
    if (rare_ == nullptr) rare_ = std::make_unique<Rare>();
    return *rare_;
  }
  using Readers = Epochs<Reader, Opener12, Opener13>;
  using Writers = Epochs<Writer, Sealer12, Sealer13>;

  [[nodiscard]] const Writer* find_writer(wire::Epoch epoch) const {
    const Writers* found = writers_.find(epoch);
    return found != nullptr ? &found->newest() : nullptr;
  }
  Taken take_any(MutableBytes& datagram);
  Taken take12(MutableBytes& datagram);
  Taken take13(MutableBytes& datagram);
  Taken open12(const Header12& header, MutableBytes record);
  Taken open13(const Header13& header, MutableBytes record);
  [[nodiscard]] ReplayWindow make_window() const;
  // Without its keys.
  [[nodiscard]] Reader restored(const ReadNumbers& read, const KeyLimits& limits) const;
  // Whether a record of this number, which is not marked yet, would be the newest.
  [[nodiscard]] bool is_newest(const Reader& reader, wire::SequenceNumber sequence) const;
  // Whether a record is accepted although it is not fresh. kTls12Cid: the type is still hidden.
  [[nodiscard]] bool takes_again(wire::ContentType type) const {
    return window_units_ == 0 && (type == wire::ContentType::application_data || type == kTls12Cid);
  }
  // A record has failed to authenticate.
  void count_forgery(Reader& reader);
  Result<std::size_t> seal_with(Writers& encrypted, const Header12& header, Bytes contents,
                                MutableBytes out) const;
  [[nodiscard]] RecordSize size_of(const Writer& writer) const;
  [[nodiscard]] bool is_version_known(const Header12& header) const;
  // RFC 9146 section 3: whether an encrypted record of DTLS 1.2 has this side's ID, or none if this
  // side has none.
  [[nodiscard]] bool is_for_us(const Header12& header) const;

  // Encrypted epochs only. Epoch 0 has no replay window, because its numbers are not authenticated.
  // no_unique_address, here and below: the next member begins in the padding.
  [[no_unique_address]] Readers readers_;
  ProtocolVersion version_ = ProtocolVersion::dtls10;
  std::uint16_t padding_;
  [[no_unique_address]] Writers writers_;
  ContentLimits content_limits_;
  std::uint64_t next_plaintext_ = 0;
  std::unique_ptr<Rare> rare_;  // null: nothing of it
  [[no_unique_address]] ConnectionIds ids_;
  std::uint8_t window_units_;
  bool reads_plaintext_ = true;
  bool peer_encrypts_ = false;
  bool forgeries_exceeded_ = false;
  bool is_encrypting_ = false;
  bool is_cold_ = false;
};

}  // namespace sluice::dtls::record
