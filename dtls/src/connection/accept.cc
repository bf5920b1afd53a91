// How a connection begins whose peer a Listener has let in.
#include "connection/impl.h"
#include "listener/admission.h"
#include "message/handshake_fragment.h"

namespace sluice::dtls {

Admission::Admission(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Admission::Admission(Admission&&) noexcept = default;
Admission& Admission::operator=(Admission&&) noexcept = default;
Admission::~Admission() = default;

std::span<const std::byte, 32> Admission::client_random() const {
  // Behind the message's header and client_version (RFC 5246 section 7.4.1.2).
  return Bytes(impl_->hello).subspan(message::kHandshakeHeaderSize + 2).first<32>();
}

Accepted Connection::accept(Admission admission, Environment& environment, PathId path,
                            Instant now) {
  auto impl = std::make_unique<Impl>(admission.impl_->config, environment, Role::server, path);
  auto outcome = impl->accept(*admission.impl_, now);
  return {Connection(std::move(impl)), std::move(outcome)};
}

// As if the hello had come in one record, after the messages that the Listener has exchanged.
Result<Pending> Connection::Impl::accept(Admission::Impl& admission, Instant now) {
  set_time(now);
  Handshaking& phase = *handshaking();
  wire::Reader reader(admission.hello);
  const auto seq = message::HandshakeFragment::take(reader)->header.message_seq;
  phase.reassembler.start_at(seq);
  phase.context.transport.start_at(seq);
  // RFC 6347 section 4.2.1: the ServerHello takes over the record's number.
  records_.start_plaintext_at(admission.record);
  if (admission.retry) {
    auto machine = handshake::Handshake::server(*admission.retry, phase.context);
    if (!machine) return end_input(forward_error(machine));
    phase.machine = std::move(*machine);
  }
  return end_input(on_handshake(
      {wire::ContentType::handshake, wire::kPlaintextEpoch, admission.record, admission.hello},
      now));
}

}  // namespace sluice::dtls
