// Answers ClientHellos without state per client; see <sluice/dtls/listener.h>.
#include <algorithm>

#include "crypto/library.h"
#include "listener/admission.h"
#include "listener/hello_table.h"
#include "message/alert.h"
#include "message/hello_verify_request.h"
#include "negotiation/client_offer.h"
#include "negotiation/cookie.h"
#include "negotiation/hello_retry.h"
#include "negotiation/role_check.h"
#include "record/header12.h"
#include "record/header13.h"

namespace sluice::dtls {
namespace {

using handshake::CookieBinding;
using handshake::server13::StatelessRetry;
using message::ClientHello;
using message::HandshakeFragment;
using record::Header12;
using wire::ExtensionType;
using wire::HandshakeType;

constexpr Duration kMinimumLifetime = std::chrono::seconds{1};
constexpr Duration kMaximumLifetime = std::chrono::hours{24};
constexpr std::size_t kMinimumHello = 512;
constexpr std::size_t kMaximumHello = 65535;
constexpr std::size_t kMaximumEntries = 65536;

// The shortest datagram with a ClientHello (RFC 6347 section 4.2.1): headers, version, random,
// empty session_id and cookie, one cipher suite, one compression method.
constexpr std::size_t kShortestHello =
    record::kHeaderSize12 + message::kHandshakeHeaderSize + 2 + 32 + 1 + 1 + 4 + 2;
// A datagram with a HelloVerifyRequest: headers, version, cookie.
constexpr std::size_t kVerifyRequestSize =
    record::kHeaderSize12 + message::kHandshakeHeaderSize + 2 + 1 + handshake::CookieJar::kOverhead;

// A client may get a new cookie several times (RFC 6347 section 4.2.1), but not without limit.
constexpr wire::MessageSeq kLastSeq{15};

// A complete ClientHello of an unverified peer.
struct Hello {
  message::HandshakeHeader header;
  Bytes body;
  wire::SequenceNumber record;
  Bytes address;
  std::size_t bytes_received;  // from this address for this hello
  Instant now;
  listener::HelloTable::Entry* entry;  // where it was reassembled; null if it had one fragment
};

bool is_of_same_hello(const message::HandshakeHeader& one, const message::HandshakeHeader& other) {
  return one.length == other.length && one.message_seq == other.message_seq;
}

bool is_plaintext_handshake(const Header12& header) {
  // Any minor version is accepted, as in the connection's record layer (RFC 5246 appendix E.1).
  return header.type == wire::ContentType::handshake && header.epoch == wire::kPlaintextEpoch &&
         wire::value_of(header.version) >> 8 == 0xfe;
}

// Calls `visit` with each fragment of a ClientHello and its record number until a call returns
// false. Other content of the datagram is ignored, as RFC 8446 section 4.2.2 asks. Returns the
// fault of the datagram in case no call accepted a fragment.
template <class Visit>
ListenerDiscard visit_fragments(Bytes datagram, Visit&& visit) {
  auto fault = ListenerDiscard::no_client_hello;
  while (!datagram.empty() && !record::Header13::is_unified(datagram.front())) {
    const auto header = Header12::decode(datagram);
    if (!header || header->length > datagram.size() - record::kHeaderSize12) {
      return ListenerDiscard::malformed;
    }
    wire::Reader contents(datagram.subspan(record::kHeaderSize12, header->length));
    datagram = datagram.subspan(record::kHeaderSize12 + header->length);
    if (!is_plaintext_handshake(*header)) continue;
    while (contents.more()) {
      const auto fragment = HandshakeFragment::take(contents);
      if (!fragment) return ListenerDiscard::malformed;
      if (fragment->header.type != HandshakeType::client_hello) continue;
      fault = ListenerDiscard::malformed;
      if (!visit(*fragment, header->sequence)) return fault;
    }
  }
  return fault;
}

// The content of a DTLS 1.3 cookie: the data that the second hello does not contain.
struct Content13 {
  const schedule::CipherSuite13Parameters* suite;
  std::optional<NamedGroup> group;  // a share of this group was requested
  crypto::Digest first_hello;

  static std::optional<Content13> decode(std::optional<Bytes> bytes) {
    if (!bytes) return std::nullopt;
    wire::Reader reader(*bytes);
    const auto* suite = schedule::find13(reader.code<CipherSuite>());
    const auto group = reader.code<NamedGroup>();
    if (suite == nullptr || reader.rest().size() != crypto::hash_size(suite->hash)) {
      return std::nullopt;
    }
    Content13 content{suite, std::nullopt, crypto::Digest(suite->hash)};
    if (group != kNoGroup) content.group = group;
    std::ranges::copy(reader.rest(), content.first_hello.bytes().begin());
    return content;
  }

  static constexpr NamedGroup kNoGroup{0};
};

class EncodedContent13 {
 public:
  explicit EncodedContent13(const Content13& content) {
    const Bytes hash = content.first_hello.bytes();
    const auto group = content.group.value_or(Content13::kNoGroup);
    wire::store(MutableBytes(bytes_).first(2), wire::value_of(content.suite->id));
    wire::store(MutableBytes(bytes_).subspan(2, 2), wire::value_of(group));
    size_ = size_with(content.suite->hash);
    std::ranges::copy(hash, bytes_.begin() + 4);
  }
  [[nodiscard]] Bytes bytes() const { return Bytes(bytes_).first(size_); }
  static std::size_t size_with(HashAlgorithm hash) { return 4 + crypto::hash_size(hash); }

 private:
  std::array<std::byte, 4 + crypto::kMaxHashSize> bytes_{};
  std::size_t size_ = 0;
};

}  // namespace

std::string_view to_string(ListenerDiscard reason) {
  switch (reason) {
    case ListenerDiscard::no_client_hello:
      return "no ClientHello";
    case ListenerDiscard::malformed:
      return "malformed";
    case ListenerDiscard::too_long:
      return "ClientHello too long";
    case ListenerDiscard::no_room:
      return "no room for a part of a ClientHello";
    case ListenerDiscard::reply_too_long:
      return "reply longer than what has come";
    case ListenerDiscard::address_too_long:
      return "address too long";
    case ListenerDiscard::libcrypto_failure:
      return "libcrypto failure";
  }
  return "unknown";
}

class Listener::Impl {
 public:
  Impl(ConfigPtr config, Environment& environment, const ListenerOptions& options,
       handshake::CookieJar cookies, crypto::KeyedHash hash)
      : config_(std::move(config)),
        library_(&environment.library()),
        max_hello_(std::min(options.max_client_hello, config_->options().max_handshake_message)),
        cookies_(std::move(cookies)),
        table_(options.unfinished_hellos, max_hello_, std::move(hash)) {
    reply_.reserve(kMaxReply);
    cookie_.reserve(kMaxReply);
  }

  Outcome handle_datagram(Bytes datagram, Bytes address, Instant now);

  [[nodiscard]] const ListenerStatistics& statistics() const { return statistics_; }
  [[nodiscard]] handshake::CookieJar& cookies() { return cookies_; }
  [[nodiscard]] crypto::Library& library() { return *library_; }

 private:
  using Entry = listener::HelloTable::Entry;

  // What a valid cookie of DTLS 1.3 tells.
  struct OpenedRetry {
    CookieNumber number;
    StatelessRetry retry;
  };

  // A datagram, and the state of its processing.
  struct Arrival {
    Bytes address;
    std::size_t size;
    Instant now;
    Entry* entry = nullptr;  // of the hello to which its fragments belong
    message::HandshakeHeader header = {};
    std::optional<Outcome> outcome = {};
  };

  void take(const HandshakeFragment& fragment, wire::SequenceNumber record, Arrival& arrival);
  // Answers a complete hello. Errors: those of libcrypto only.
  Outcome answer(const Hello& hello);
  Result<Outcome> judge(const Hello& hello);
  Result<Outcome> judge12(const Hello& hello, const ClientHello& fields);
  Result<Outcome> judge13(const Hello& hello, const ClientHello& fields);
  // Empty when the cookie is not valid.
  Result<std::optional<OpenedRetry>> open13(const Hello& hello, const ClientHello& fields,
                                            Bytes cookie);
  Outcome admit(const Hello& hello, CookieNumber cookie, std::optional<StatelessRetry> retry);

  Result<Outcome> ask_for_retry(const Hello& hello, const ClientHello& fields,
                                const handshake::Choice13& choice);
  Outcome send_alert(const Hello& hello, ProtocolVersion version, Alert alert);
  // Writes the reply's message.
  template <class Encode>
  [[nodiscard]] bool put_message(const Hello& hello, HandshakeType type, Encode&& encode);
  // Sends the reply that has been written; may_send() allows it.
  Outcome send(const Hello& hello, wire::ContentType type, ProtocolVersion version,
               std::uint64_t& counter);
  [[nodiscard]] bool may_send(const Hello& hello, std::size_t size);
  Outcome discard(ListenerDiscard reason) {
    ++statistics_.discarded[static_cast<std::size_t>(reason)];
    return Discarded{reason};
  }

  ConfigPtr config_;
  crypto::Library* library_;
  std::size_t max_hello_;
  handshake::CookieJar cookies_;
  listener::HelloTable table_;
  Buffer reply_;   // the last reply, or the present one
  Buffer cookie_;  // the cookie in that reply
  ListenerStatistics statistics_;
};

// ---- from datagrams to hellos

Listener::Outcome Listener::Impl::handle_datagram(Bytes datagram, Bytes address, Instant now) {
  ++statistics_.datagrams_received;
  statistics_.bytes_received += datagram.size();
  if (address.size() > kMaxAddress) return discard(ListenerDiscard::address_too_long);
  if (!cookies_.advance(*library_, now)) return discard(ListenerDiscard::libcrypto_failure);

  Arrival arrival{address, datagram.size(), now};
  const ListenerDiscard fault = visit_fragments(
      datagram, [&](const HandshakeFragment& fragment, wire::SequenceNumber record) {
        take(fragment, record, arrival);
        return !arrival.outcome;
      });
  statistics_.evictions = table_.evictions();
  if (arrival.outcome) return *std::move(arrival.outcome);
  if (arrival.entry == nullptr) return discard(fault);
  ++statistics_.unfinished;
  return Unfinished{};
}

void Listener::Impl::take(const HandshakeFragment& fragment, wire::SequenceNumber record,
                          Arrival& arrival) {
  const message::HandshakeHeader& header = fragment.header;
  // An empty fragment is ignored; it must not create an entry.
  if (header.message_seq > kLastSeq || fragment.body.empty()) return;
  // One datagram may contain fragments of one ClientHello only. Otherwise it could evict the whole
  // table.
  if (arrival.entry != nullptr && !is_of_same_hello(header, arrival.header)) return;
  if (header.length > max_hello_) {
    arrival.outcome = discard(ListenerDiscard::too_long);
    return;
  }
  Hello hello{header, fragment.body, record, arrival.address, arrival.size, arrival.now, nullptr};
  const bool in_pieces = fragment.body.size() < header.length;
  if (arrival.entry == nullptr && in_pieces) {
    arrival.header = header;
    arrival.entry = table_.open(arrival.address, header, arrival.size, arrival.now);
    if (arrival.entry == nullptr) {
      arrival.outcome = discard(ListenerDiscard::no_room);
      return;
    }
  }
  if (arrival.entry != nullptr) {
    arrival.entry->add(fragment);
    if (!arrival.entry->whole()) return;
    hello.entry = arrival.entry;
    hello.body = hello.entry->body();
    hello.bytes_received = hello.entry->bytes_received();
  }
  arrival.outcome = answer(hello);
}

Listener::Outcome Listener::Impl::answer(const Hello& hello) {
  auto outcome = judge(hello);
  if (!outcome) outcome = discard(ListenerDiscard::libcrypto_failure);
  const auto* discarded = std::get_if<Discarded>(&*outcome);
  const bool waits = discarded != nullptr && discarded->reason == ListenerDiscard::reply_too_long;
  if (hello.entry != nullptr && !waits) table_.release(*hello.entry);
  return *std::move(outcome);
}

// ---- from hellos to answers

Result<Listener::Outcome> Listener::Impl::judge(const Hello& hello) {
  const auto fields = ClientHello::decode(hello.body);
  if (!fields) return discard(ListenerDiscard::malformed);
  const auto version = handshake::choose_version(config_->options(), *fields);
  if (!version) return send_alert(hello, ProtocolVersion::dtls10, *version.error().alert);
  return *version == ProtocolVersion::dtls13 ? judge13(hello, *fields) : judge12(hello, *fields);
}

Result<Listener::Outcome> Listener::Impl::judge12(const Hello& hello, const ClientHello& fields) {
  const auto repeated = handshake::digest_of_repeated12(*library_, fields);
  if (!repeated) return forward_error(repeated);
  const CookieBinding binding{ProtocolVersion::dtls12, hello.address, repeated->bytes()};
  const auto opened = cookies_.open(*library_, fields.cookie, binding);
  if (!opened) return forward_error(opened);
  if (*opened) return admit(hello, (*opened)->number, std::nullopt);

  // RFC 6347 section 4.2.1: an invalid cookie is treated like an absent one.
  if (!fields.cookie.empty()) ++statistics_.refused_cookies;
  static_assert(kVerifyRequestSize <= kShortestHello);  // may_send() need not be asked
  cookie_.clear();
  if (cookies_.needs_mac(fields.cookie)) {
    // A forged cookie must not cost two MACs: the request has no real cookie, and the ClientHello
    // that returns this one gets it.
    cookie_.push_back(std::byte{});
  } else {
    wire::Writer cookie(cookie_);
    if (auto put = cookies_.put(*library_, cookie, {}, binding); !put) return forward_error(put);
  }
  const bool fits = put_message(hello, HandshakeType::hello_verify_request, [&](wire::Writer& out) {
    message::put_hello_verify_request(out, cookie_);
  });
  if (!fits) return discard(ListenerDiscard::reply_too_long);
  return send(hello, wire::ContentType::handshake, ProtocolVersion::dtls10,
              statistics_.hello_verify_requests);
}

Result<Listener::Outcome> Listener::Impl::judge13(const Hello& hello, const ClientHello& fields) {
  const auto refuse = [&](Alert alert) {
    return send_alert(hello, ProtocolVersion::dtls12, alert);
  };
  const auto extension = fields.extensions.find(ExtensionType::cookie);
  if (!extension) {
    const auto choice =
        handshake::server13::check_client_hello13(config_->options(), *library_, fields);
    if (!choice) return refuse(choice.error().alert.value_or(Alert::internal_error));
    return ask_for_retry(hello, fields, *choice);
  }
  wire::Reader reader(*extension);
  const Bytes cookie = reader.vector16();
  if (!reader.complete() || cookie.empty()) return refuse(Alert::decode_error);
  auto retry = open13(hello, fields, cookie);
  if (!retry) return forward_error(retry);
  if (*retry) return admit(hello, (*retry)->number, std::move((*retry)->retry));
  // RFC 9147 section 5.1: the alert lets the client start over. A second HelloRetryRequest would
  // also end its handshake, and without an answer it would have to wait for its timeout.
  ++statistics_.refused_cookies;
  return refuse(Alert::illegal_parameter);
}

Result<std::optional<Listener::Impl::OpenedRetry>> Listener::Impl::open13(const Hello& hello,
                                                                          const ClientHello& fields,
                                                                          Bytes cookie) {
  const auto content = Content13::decode(handshake::CookieJar::claimed_content(cookie));
  if (!content) return std::nullopt;
  const auto repeated =
      handshake::digest_of_repeated13(*library_, fields, content->group.has_value());
  if (!repeated) return forward_error(repeated);
  const CookieBinding binding{ProtocolVersion::dtls13, hello.address, repeated->bytes()};
  const auto opened = cookies_.open(*library_, cookie, binding);
  if (!opened) return forward_error(opened);
  if (!*opened) return std::nullopt;
  return OpenedRetry{(*opened)->number,
                     {content->suite, content->group, *repeated, content->first_hello,
                      Buffer(cookie.begin(), cookie.end())}};
}

Result<Listener::Outcome> Listener::Impl::ask_for_retry(const Hello& hello,
                                                        const ClientHello& fields,
                                                        const handshake::Choice13& choice) {
  const auto asked = choice.share ? std::nullopt : choice.group;
  const auto put_reply = [&] {
    return put_message(hello, HandshakeType::server_hello, [&](wire::Writer& out) {
      handshake::put_retry_request(out, {choice.suite, asked, cookie_});
    });
  };
  // A hello that is too short for its reply must not cost the hashes of one that gets it.
  cookie_.assign(EncodedContent13::size_with(choice.suite->hash) + handshake::CookieJar::kOverhead,
                 std::byte{});
  if (!put_reply() || !may_send(hello, reply_.size()))
    return discard(ListenerDiscard::reply_too_long);

  const auto repeated = handshake::digest_of_repeated13(*library_, fields, asked.has_value());
  if (!repeated) return forward_error(repeated);
  const auto first_hello = handshake::hash_of_hello13(*library_, choice.suite->hash, hello.body);
  if (!first_hello) return forward_error(first_hello);
  const CookieBinding binding{ProtocolVersion::dtls13, hello.address, repeated->bytes()};
  cookie_.clear();
  wire::Writer cookie(cookie_);
  const EncodedContent13 content({choice.suite, asked, *first_hello});
  if (auto put = cookies_.put(*library_, cookie, content.bytes(), binding); !put) {
    return forward_error(put);
  }
  if (!put_reply()) return discard(ListenerDiscard::reply_too_long);
  return send(hello, wire::ContentType::handshake, ProtocolVersion::dtls12,
              statistics_.hello_retry_requests);
}

Listener::Outcome Listener::Impl::admit(const Hello& hello, CookieNumber cookie,
                                        std::optional<StatelessRetry> retry) {
  auto admission = std::make_unique<Admission::Impl>(
      Admission::Impl{config_, cookie, {}, hello.record, std::move(retry)});
  const bool fits =
      message::put_message(admission->hello, HandshakeType::client_hello, hello.header.message_seq,
                           [&](wire::Writer& out) { out.bytes(hello.body); });
  if (!fits) return discard(ListenerDiscard::too_long);
  ++statistics_.admissions;
  return Admission(std::move(admission));
}

// ---- sending

Listener::Outcome Listener::Impl::send_alert(const Hello& hello, ProtocolVersion version,
                                             Alert alert) {
  reply_.resize(record::kHeaderSize12);
  const auto contents = message::AlertMessage{message::AlertLevel::fatal, alert}.encode();
  reply_.insert(reply_.end(), contents.begin(), contents.end());
  if (!may_send(hello, reply_.size())) return discard(ListenerDiscard::reply_too_long);
  return send(hello, wire::ContentType::alert, version, statistics_.alerts);
}

template <class Encode>
bool Listener::Impl::put_message(const Hello& hello, HandshakeType type, Encode&& encode) {
  reply_.resize(record::kHeaderSize12);
  // The reply has the message_seq of the hello, because the client counts the messages it receives
  // and the Listener keeps no count.
  return message::put_message(reply_, type, hello.header.message_seq, std::forward<Encode>(encode));
}

Listener::Outcome Listener::Impl::send(const Hello& hello, wire::ContentType type,
                                       ProtocolVersion version, std::uint64_t& counter) {
  // RFC 6347 section 4.2.1: the reply has the record number of the hello.
  Header12{type, version, wire::kPlaintextEpoch, hello.record,
           reply_.size() - record::kHeaderSize12}
      .encode(reply_);
  ++counter;
  statistics_.bytes_sent += reply_.size();
  return Reply{reply_};
}

bool Listener::Impl::may_send(const Hello& hello, std::size_t size) {
  if (size <= hello.bytes_received) return true;
  if (hello.entry != nullptr) return false;
  // The hello is smaller than its reply. The entry counts the bytes of its retransmissions, until
  // the sender has sent as much as the reply has.
  Entry* entry = table_.open(hello.address, hello.header, hello.bytes_received, hello.now);
  if (entry == nullptr || size > entry->bytes_received()) return false;
  table_.release(*entry);
  return true;
}

// ---- public interface

Listener::Listener(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Listener::Listener(Listener&&) noexcept = default;
Listener& Listener::operator=(Listener&&) noexcept = default;
Listener::~Listener() = default;

Result<Listener> Listener::make(ConfigPtr config, Environment& environment,
                                ListenerOptions options) {
  const auto invalid = [](std::string_view detail) {
    return tl::unexpected(Error{Errc::invalid_config, {}, 0, detail});
  };
  if (options.cookie_lifetime < kMinimumLifetime || options.cookie_lifetime > kMaximumLifetime) {
    return invalid("cookie_lifetime: not from 1 s to 24 h");
  }
  if (options.max_client_hello < kMinimumHello || options.max_client_hello > kMaximumHello) {
    return invalid("max_client_hello: not from 512 to 65535");
  }
  if (options.unfinished_hellos > kMaximumEntries) {
    return invalid("unfinished_hellos: above 65536");
  }
  const auto fits = handshake::check_role(config->options(), environment.library(), Role::server);
  if (!fits) return forward_error(fits);
  auto cookies = handshake::CookieJar::make(environment.library(), options.cookie_lifetime);
  if (!cookies) return forward_error(cookies);
  auto hash = crypto::KeyedHash::make(environment.library());
  if (!hash) return forward_error(hash);
  return Listener(std::make_unique<Impl>(std::move(config), environment, options,
                                         *std::move(cookies), *std::move(hash)));
}

Listener::Outcome Listener::handle_datagram(Bytes datagram, Bytes peer_address, Instant now) {
  return impl_->handle_datagram(datagram, peer_address, now);
}

const ListenerStatistics& Listener::statistics() const { return impl_->statistics(); }
Result<SecretBytes> Listener::export_cookie_secret(Instant now) {
  return impl_->cookies().export_secret(impl_->library(), now);
}
Result<void> Listener::import_cookie_secret(Bytes secret, Instant now) {
  return impl_->cookies().import_secret(impl_->library(), secret, now);
}

}  // namespace sluice::dtls
