#include "support/record_access.h"

#include "connection/impl.h"

namespace sluice::test {
namespace {

// In the arguments of an explicit instantiation access is not checked.
template <auto Implementation, auto Records>
struct Access {
  friend dtls::record::RecordLayer& reach(dtls::Connection& connection) {
    return (*(connection.*Implementation)).*Records;
  }
};
dtls::record::RecordLayer& reach(dtls::Connection& connection);
template struct Access<&dtls::Connection::impl_, &dtls::Connection::Impl::records_>;

}  // namespace

dtls::record::RecordLayer& records_of(dtls::Connection& connection) { return reach(connection); }

}  // namespace sluice::test
