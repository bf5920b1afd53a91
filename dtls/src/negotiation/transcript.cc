#include "negotiation/transcript.h"

#include <algorithm>
#include <array>

#include "message/handshake_fragment.h"

namespace sluice::dtls::handshake {
namespace {

// What follows the ClientHello in a handshake of DTLS 1.2 without certificates.
constexpr std::size_t kShortTranscript = 320;

}  // namespace

Result<void> Transcript::add(Bytes message) {
  latest_.reset();
  if (running_ && form_ == Form::dtls13) return update(message);
  if (messages_.capacity() == 0) messages_.reserve(message.size() + kShortTranscript);
  messages_.insert(messages_.end(), message.begin(), message.end());
  return {};
}

Result<void> Transcript::catch_up() {
  if (hashed_ == messages_.size()) return {};
  if (auto done = running_->update(Bytes(messages_).subspan(hashed_)); !done) return done;
  hashed_ = messages_.size();
  if (!keeps_messages_) {
    messages_.clear();
    hashed_ = 0;
  }
  return {};
}

Result<crypto::Digest> Transcript::hash(crypto::Library& library) {
  if (latest_) return *latest_;
  if (auto done = catch_up(); !done) return forward_error(done);
  auto value = running_->value(library);
  if (value) latest_ = *value;
  return value;
}

Result<void> Transcript::update(Bytes message) {
  if (auto done = running_->update(message.first(kTlsHeaderSize)); !done) return done;
  return running_->update(message.subspan(message::kHandshakeHeaderSize));
}

Result<void> Transcript::start_hash(crypto::Library& library, HashAlgorithm hash, Form form) {
  auto started = crypto::RunningHash::start(library, hash);
  if (!started) return forward_error(started);
  running_.emplace(std::move(*started));
  hash_ = hash;
  form_ = form;
  if (form == Form::dtls12) return {};
  wire::Reader rest(messages_);
  while (rest.more()) {
    const Bytes before = rest.rest();
    const auto fragment = message::HandshakeFragment::take(rest);
    const std::size_t size = message::kHandshakeHeaderSize + fragment->body.size();
    if (auto done = update(before.first(size)); !done) return done;
  }
  forget_all();
  return {};
}

Result<crypto::Digest> Transcript::hash_with(crypto::Library& library, HashAlgorithm hash,
                                             Bytes header, Bytes begun_body) const {
  auto fork = running_ ? running_->clone() : crypto::RunningHash::start(library, hash);
  if (!fork) return forward_error(fork);
  auto done = fork->update(header);
  if (done) done = fork->update(begun_body);
  if (!done) return forward_error(done);
  return fork->value(library);
}

Result<void> Transcript::replace_by_message_hash(crypto::Library& library) {
  const auto first_hello = hash(library);
  if (!first_hello) return forward_error(first_hello);
  return start_after_message_hash(library, hash_, first_hello->bytes());
}

Result<void> Transcript::start_after_message_hash(crypto::Library& library, HashAlgorithm hash,
                                                  Bytes first_hello) {
  forget_all();
  latest_.reset();
  hash_ = hash;
  form_ = Form::dtls13;
  auto restarted = crypto::RunningHash::start(library, hash_);
  if (!restarted) return forward_error(restarted);
  running_.emplace(std::move(*restarted));
  const std::array header{static_cast<std::byte>(wire::HandshakeType::message_hash), std::byte{0},
                          std::byte{0}, static_cast<std::byte>(first_hello.size())};
  if (auto done = running_->update(header); !done) return done;
  return running_->update(first_hello);
}

}  // namespace sluice::dtls::handshake
