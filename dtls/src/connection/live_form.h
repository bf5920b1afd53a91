// The bytes of a LiveSession: one list of fields, which the encoder and the decoder visit.
// docs/live-sessions.md describes the form.
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "connection/live_session.h"
#include "wire/reader.h"
#include "wire/variable_integer.h"
#include "wire/writer.h"

namespace sluice::dtls::connection::live_form {

// Other formats are refused.
inline constexpr std::uint8_t kFormat = 1;

// The second field has 24 flags. Optional fields are present where their flag is set.
inline constexpr std::size_t kFlagsSize = 3;
inline constexpr unsigned kIsServer = 1U << 0;
inline constexpr unsigned kIsDtls13 = 1U << 1;
inline constexpr unsigned kHasGroup = 1U << 2;
inline constexpr unsigned kHasSrtpProfile = 1U << 3;
inline constexpr unsigned kHasRecordSizeLimits = 1U << 4;
inline constexpr unsigned kHasNames = 1U << 5;
inline constexpr unsigned kHasSendLimit = 1U << 6;
inline constexpr unsigned kHasConnectionIds = 1U << 7;
inline constexpr unsigned kHasExtendedMasterSecret = 1U << 8;  // the next three in DTLS 1.2 only
inline constexpr unsigned kIsResumed = 1U << 9;
inline constexpr unsigned kHasLastFlight = 1U << 10;
inline constexpr unsigned kHasExternalPsk = 1U << 11;  // the next five in DTLS 1.3 only
inline constexpr unsigned kHasResumptionPsk = 1U << 12;
inline constexpr unsigned kHasOldKeys = 1U << 13;
inline constexpr unsigned kHasMessagesUnderWay = 1U << 14;
inline constexpr unsigned kHasResumption = 1U << 15;
inline constexpr unsigned kHasClientCertificateType = 1U << 16;  // the next three in both
inline constexpr unsigned kHasServerCertificateType = 1U << 17;
inline constexpr unsigned kHasMaxFragmentLength = 1U << 18;
inline constexpr unsigned kAwaitsConnectionIds = 1U << 19;   // in DTLS 1.3 only
inline constexpr unsigned kHasReturnRoutability = 1U << 20;  // with connection IDs
inline constexpr unsigned kAll = (1U << 21) - 1;
inline constexpr unsigned kOnly12 = kHasExtendedMasterSecret | kIsResumed | kHasLastFlight;
inline constexpr unsigned kOnly13 = kHasExternalPsk | kHasResumptionPsk | kHasOldKeys |
                                    kHasMessagesUnderWay | kHasResumption | kAwaitsConnectionIds;

unsigned flags_of(const LiveSession& session);
// Makes the fields that the flags name. False: unknown flags, or such as exclude each other.
bool set_up(LiveSession& session, unsigned flags);
// The size of a secret of DTLS 1.3; 0 for a suite of DTLS 1.2 or an unknown one.
std::size_t secret_size(CipherSuite suite);

// Writes to `out`; without one it only counts.
class Encoder {
 public:
  explicit Encoder(wire::Writer* out = nullptr) : out_(out) {}
  [[nodiscard]] std::size_t size() const { return size_; }

  template <class Code>
  void code(Code code) {
    size_ += sizeof code;
    if (out_ == nullptr) return;
    if constexpr (std::is_enum_v<Code>) {
      out_->code(code);
    } else {
      put(code, sizeof code);
    }
  }
  template <class Code>
  void optional(const std::optional<Code>& value) {
    code(value.has_value());
    if (value) code(*value);
  }
  void number(std::uint64_t number) {
    size_ += wire::variable_size(number);
    if (out_ != nullptr) wire::put_variable(*out_, number);
  }
  template <class Code>
  void numbered(Code code) {
    if constexpr (std::is_enum_v<Code>) {
      number(wire::value_of(code));
    } else {
      number(code);
    }
  }
  void time(Instant time) { code(static_cast<std::uint64_t>(time.time_since_epoch().count())); }
  void fixed(Bytes bytes) {
    size_ += bytes.size();
    if (out_ != nullptr) out_->bytes(bytes);
  }
  template <class SecretBytes>
  void secret(const SecretBytes& secret, std::size_t /*size*/) {
    fixed(secret.bytes());
  }
  void bytes(Bytes bytes) {
    number(bytes.size());
    fixed(bytes);
  }
  void text(const std::string& text) { bytes(std::as_bytes(std::span(text))); }
  template <class Entry, class Visit>
  void list(const std::vector<Entry>& entries, Visit&& visit) {
    number(entries.size());
    for (const Entry& entry : entries) visit(entry);
  }

 private:
  void put(std::uint64_t value, std::size_t width) {
    std::array<std::byte, sizeof value> bytes{};
    wire::store(MutableBytes(bytes).first(width), value);
    out_->bytes(Bytes(bytes).first(width));
  }

  wire::Writer* out_;
  std::size_t size_ = 0;
};

// A failed reader gives zeros and empty bytes: check it at the end.
class Decoder {
 public:
  explicit Decoder(wire::Reader& reader) : reader_(reader) {}

  template <class Code>
  void code(Code& code) {
    code = reader_.code<Code>();
  }
  void code(bool& flag) {
    const std::uint8_t value = reader_.u8();
    if (value > 1) return fail();
    flag = value == 1;
  }
  template <class Code>
  void optional(std::optional<Code>& value) {
    bool is_present = false;
    code(is_present);
    if (is_present) code(value.emplace());
  }
  void fail() { reader_.fail(); }
  void number(std::uint64_t& number) { number = wire::take_variable(reader_); }
  template <class Code>
  void numbered(Code& code) {
    const std::uint64_t number = wire::take_variable(reader_);
    code = static_cast<Code>(number);
    // The conversion changes a number that does not fit.
    if (static_cast<std::uint64_t>(code) != number) reader_.fail();
  }
  void time(Instant& time) { time = Instant(Duration(static_cast<std::int64_t>(reader_.u64()))); }
  void fixed(MutableBytes bytes) {
    const Bytes read = reader_.bytes(bytes.size());
    std::ranges::copy(read, bytes.begin());
  }
  template <class SecretBytes>
  void secret(SecretBytes& secret, std::size_t size) {
    secret = SecretBytes(reader_.bytes(size));
  }
  void bytes(Buffer& buffer) {
    const Bytes bytes = reader_.bytes(wire::take_variable(reader_));
    buffer.assign(bytes.begin(), bytes.end());
  }
  void text(std::string& text) {
    const Bytes bytes = reader_.bytes(wire::take_variable(reader_));
    text.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  // Takes no memory for entries that are not there.
  template <class Entry, class Visit>
  void list(std::vector<Entry>& entries, Visit&& visit) {
    for (std::uint64_t left = wire::take_variable(reader_); left > 0 && reader_.ok(); --left) {
      visit(entries.emplace_back());
    }
  }

 private:
  wire::Reader& reader_;
};

// ---- the fields

// `Session` and the other types below are const for an Encoder.

template <class Archive, class Ids>
void visit_connection_ids(Archive& archive, Ids& ids) {
  const auto one = [&](auto& id) { archive.bytes(id); };
  archive.list(ids.own, one);
  archive.code(ids.in_use);
  archive.list(ids.peers, one);
}

template <class Archive, class Numbers>
void visit_numbers(Archive& archive, Numbers& numbers) {
  archive.numbered(numbers.epoch);
  archive.number(numbers.next);
  archive.bytes(numbers.received);
  archive.number(numbers.forgeries);
}

template <class Archive, class Extensions>
void visit_extensions(Archive& archive, Extensions& extensions) {
  if (extensions.srtp_profile) archive.code(*extensions.srtp_profile);
  if (extensions.record_size_limits) {
    archive.code(extensions.record_size_limits->ours);
    archive.code(extensions.record_size_limits->peers);
  }
  if (extensions.client_certificate_type) archive.code(*extensions.client_certificate_type);
  if (extensions.server_certificate_type) archive.code(*extensions.server_certificate_type);
  if (extensions.max_fragment_length != message::MaxFragmentLength::none) {
    archive.code(extensions.max_fragment_length);
  }
}

void visit_names(Encoder& archive, const LiveSession& session);
void visit_names(Decoder& archive, LiveSession& session);
void visit_peer(Encoder& archive, const AcceptedPeer::Facts& peer);
void visit_peer(Decoder& archive, AcceptedPeer::Facts& peer);

template <class Archive, class Session>
void visit12(Archive& archive, Session& session) {
  archive.fixed(session.randoms.client);
  archive.fixed(session.randoms.server);
  archive.secret(session.master, schedule::MasterSecret::capacity());
  archive.numbered(session.peers_next);
  if (!session.last_flight) return;
  archive.number(session.last_flight->next_plaintext);
  archive.list(session.last_flight->messages, [&](auto& message) { archive.bytes(message); });
}

template <class Archive, class Session>
void visit13(Archive& archive, Session& session, std::size_t secret_size) {
  archive.secret(session.client_secret, secret_size);
  archive.secret(session.server_secret, secret_size);
  archive.secret(session.exporter, secret_size);
  archive.numbered(session.next);
  archive.numbered(session.peers_next);
  if (session.old_keys) {
    archive.secret(session.old_keys->secret, secret_size);
    visit_numbers(archive, session.old_keys->numbers);
  }
  if (session.under_way) {
    auto& [key_update, is_acknowledged, sent, received, ids_to_request, spares_to_send,
           is_renewal_due] = *session.under_way;
    archive.code(key_update);
    archive.code(is_acknowledged);
    archive.list(sent, [&](auto& message) { archive.bytes(message); });
    archive.list(received, [&](auto& fragment) {
      archive.numbered(fragment.epoch);
      archive.bytes(fragment.bytes);
    });
    archive.code(ids_to_request);
    archive.optional(spares_to_send);
    archive.code(is_renewal_due);
  }
  if (session.resumption) {
    archive.secret(session.resumption->secret, secret_size);
    archive.bytes(session.resumption->certificate);
  }
}

// All that follows format and flags.
template <class Archive, class Session>
void visit_fields(Archive& archive, Session& session) {
  archive.code(session.cipher_suite);
  archive.bytes(session.tag);
  if (session.connection_ids) visit_connection_ids(archive, *session.connection_ids);
  if (session.group) archive.code(*session.group);
  visit_extensions(archive, session.extensions);
  visit_names(archive, session);
  archive.fixed(session.policy.value);
  visit_peer(archive, session.peer);
  visit_numbers(archive, session.read);
  archive.numbered(session.write.epoch);
  archive.number(session.write.next);
  if (session.send_limit) archive.code(*session.send_limit);
  if (auto* session12 = std::get_if<LiveSession12>(&session.of_version)) {
    visit12(archive, *session12);
  } else {
    visit13(archive, std::get<LiveSession13>(session.of_version),
            secret_size(session.cipher_suite));
  }
}

}  // namespace sluice::dtls::connection::live_form
